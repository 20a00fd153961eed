#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

namespace proxyd::memory {

// One piece of shared memory: a memfd with a name, the hash of its layout and a fixed size, sealed against shrinking
// and growing. Created by the master, mapped by everyone, adopted by a later master only when name, layout hash and
// size match. The mapping and the descriptor live as long as this value. Its first page is the header; `data` begins
// after it, zeroed when created. Offsets in it, never pointers. No core dump has it.
class Region {
 public:
  static Result<Region> create(std::string_view name, uint64_t layout_hash, size_t size);
  // Takes a descriptor that was inherited or received. Refuses another name, layout or size, and what is not sealed.
  static Result<Region> adopt(UniqueFd descriptor, std::string_view name, uint64_t layout_hash, size_t size);

  Region(Region&& other) noexcept;
  Region& operator=(Region&& other) noexcept;
  ~Region();

  int descriptor() const { return descriptor_.value(); }
  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  Region(UniqueFd descriptor, std::byte* mapping, size_t size);
  UniqueFd descriptor_;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}   // namespace proxyd::memory
