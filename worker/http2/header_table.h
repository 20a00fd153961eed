#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "worker/http2/checked_field.h"
#include "worker/http2/memory.h"

namespace proxyd::http2 {

// The dynamic table of HPACK (RFC 7541 2.3.2, 4) as a receiver keeps it, its fields checked; behind the static one. A
// field that leaves it takes its texts along. Owned by the decoder; memory is the session's.
class HeaderTable {
 public:
  static constexpr size_t kOverhead = 32;   // of each field (RFC 7541 4.1)
  static constexpr size_t kStaticFields = 61;

  explicit HeaderTable(Memory& memory) : memory_(memory) {}
  HeaderTable(const HeaderTable&) = delete;
  HeaderTable& operator=(const HeaderTable&) = delete;
  ~HeaderTable();

  // By its index, from 1; null when there is none. Valid until something is inserted, or the table shrinks.
  const CheckedField* find(size_t index) const;
  // Texts may lie in the table itself. What is larger than the whole table empties it. Throws std::bad_alloc.
  void insert(const CheckedField& field);
  bool has_room_for(const CheckedField& field) const {
    return field.name.size() + field.value.size() + kOverhead <= most_;
  }
  void resize(size_t most);

  size_t octets() const { return octets_; }   // as RFC 7541 counts them
  size_t most() const { return most_; }

 private:
  struct Entry {
    CheckedField field;
    char* text = nullptr;   // name and value
    size_t size() const { return field.name.size() + field.value.size(); }
  };

  void evict_last();
  void evict_until(size_t most);
  void grow();
  Entry& at(size_t age) const { return ring_[(newest_ + age) & (capacity_ - 1)]; }

  Memory& memory_;
  Entry* ring_ = nullptr;
  size_t capacity_ = 0;   // a power of two
  size_t newest_ = 0;     // in the ring
  size_t count_ = 0;
  size_t octets_ = 0;
  size_t most_ = 4096;
};

}   // namespace proxyd::http2
