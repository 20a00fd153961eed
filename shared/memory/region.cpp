#include "shared/memory/region.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace proxyd::memory {
namespace {

constexpr size_t kHeaderPage = 4096;
constexpr uint64_t kMagic = 0x6e6f69676572'7870;
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

struct Header {
  uint64_t magic;
  uint64_t layout_hash;
  uint64_t size;
  char name[64];
};

Error failed(std::string_view what, std::string_view name) {
  return Error{fmt::format("{} of shared memory '{}' failed: {}", what, name, std::strerror(errno))};
}

// Not in a core: who crashes holds its locks and pins until that is written, and it would be as large as the cache.
void* map(int descriptor, size_t size) {
  void* mapping = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (mapping != MAP_FAILED) ::madvise(mapping, size, MADV_DONTDUMP);
  return mapping;
}

}   // namespace

Region::Region(UniqueFd descriptor, std::byte* mapping, size_t size)
    : descriptor_(std::move(descriptor)), data_(mapping + kHeaderPage), size_(size) {}

Region::Region(Region&& other) noexcept
    : descriptor_(std::move(other.descriptor_)), data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}

Region& Region::operator=(Region&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Region::~Region() {
  if (data_) ::munmap(data_ - kHeaderPage, kHeaderPage + size_);
}

Result<Region> Region::create(std::string_view name, uint64_t layout_hash, size_t size) {
  UniqueFd memory(::memfd_create(fmt::format("proxyd-{}", name).c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return failed("creation", name);
  if (::ftruncate(memory.value(), static_cast<off_t>(kHeaderPage + size)) != 0) return failed("sizing", name);
  if (::fcntl(memory.value(), F_ADD_SEALS, kSeals) != 0) return failed("sealing", name);
  void* mapping = map(memory.value(), kHeaderPage + size);
  if (mapping == MAP_FAILED) return failed("mapping", name);
  auto* header = new (mapping) Header{kMagic, layout_hash, size, {}};
  name.copy(header->name, sizeof header->name - 1);
  return Region(std::move(memory), static_cast<std::byte*>(mapping), size);
}

Result<Region> Region::adopt(UniqueFd descriptor, std::string_view name, uint64_t layout_hash, size_t size) {
  const int seals = ::fcntl(descriptor.value(), F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) {
    return Error{fmt::format("shared memory '{}' is not sealed against a change of its size", name)};
  }
  struct stat status{};
  if (::fstat(descriptor.value(), &status) != 0) return failed("fstat", name);
  if (static_cast<size_t>(status.st_size) != kHeaderPage + size) {
    return Error{
        fmt::format("shared memory '{}' has {} octets, this build wants {}", name, status.st_size, kHeaderPage + size)};
  }
  void* mapping = map(descriptor.value(), kHeaderPage + size);
  if (mapping == MAP_FAILED) return failed("mapping", name);
  const auto* header = static_cast<const Header*>(mapping);
  const bool same = header->magic == kMagic && header->layout_hash == layout_hash && header->size == size &&
                    std::string_view(header->name) == name;
  if (!same) {
    ::munmap(mapping, kHeaderPage + size);
    return Error{fmt::format("shared memory '{}' is of another layout than this build's", name)};
  }
  return Region(std::move(descriptor), static_cast<std::byte*>(mapping), size);
}

}   // namespace proxyd::memory
