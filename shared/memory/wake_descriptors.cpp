#include "shared/memory/wake_descriptors.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace proxyd::memory {

Result<WakeDescriptors> WakeDescriptors::create() {
  WakeDescriptors made;
  for (size_t slot = 0; slot < made.all_.size(); ++slot) {
    made.all_[slot] = UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (made.all_[slot]) continue;
    return Error{fmt::format("{} descriptors are needed to wake workers by, and after {} of them: {}", made.all_.size(),
                             slot, std::strerror(errno))};
  }
  return made;
}

WakeDescriptors::WakeDescriptors(const std::array<int, kWorkerSlots>& numbers) {
  for (size_t slot = 0; slot < all_.size(); ++slot) all_[slot] = UniqueFd(numbers[slot]);
}

std::array<int, kWorkerSlots> WakeDescriptors::numbers() const {
  std::array<int, kWorkerSlots> numbers{};
  for (size_t slot = 0; slot < all_.size(); ++slot) numbers[slot] = all_[slot].value();
  return numbers;
}

void WakeDescriptors::wake(uint32_t slot) const {
  const uint64_t one = 1;
  (void)!::write(all_[slot].value(), &one, sizeof one);
}

}   // namespace proxyd::memory
