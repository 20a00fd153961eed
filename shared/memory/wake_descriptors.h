#pragma once

#include <array>
#include <bitset>

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/memory/worker_slots.h"

namespace proxyd::memory {

// The eventfds that wake sleeping workers, one for each worker slot, whatever `workers` says. They carry no news: that
// lies in a region, and who wakes looks for it. Made with the regions and as old as those: a worker inherits all of
// them, so nobody needs a descriptor that was made later. A value that owns them; master and worker; the event loop
// waits for its own, whoever has news writes another's.
class WakeDescriptors {
 public:
  // Fails naming how many could be had.
  static Result<WakeDescriptors> create();
  // Takes those that were inherited.
  explicit WakeDescriptors(const std::array<int, kWorkerSlots>& numbers);

  // By worker slot.
  std::array<int, kWorkerSlots> numbers() const;
  // Who sleeps there looks for news.
  void wake(uint32_t slot) const;
  // All of those that are workers' slots.
  template <size_t kMany>
  void wake_all(const std::bitset<kMany>& slots) const {
    for (uint32_t slot = 0; slots.any() && slot < kWorkerSlots; ++slot) {
      if (slots.test(slot)) wake(slot);
    }
  }

 private:
  WakeDescriptors() = default;
  std::array<UniqueFd, kWorkerSlots> all_;
};

}   // namespace proxyd::memory
