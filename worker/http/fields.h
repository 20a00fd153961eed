#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "worker/http/arena.h"
#include "worker/http/field_name.h"

namespace proxyd::http {

// One field line: views into a receive buffer or the message's arena.
struct Field {
  std::string_view name;
  std::string_view value;
  FieldName known = FieldName::kOther;
  bool as_received = false;   // the views lie in "name: value\r\n", which may be sent on as it is

  // Behind the line's end, when it is as received.
  const char* line_end() const { return value.data() + value.size() + 2; }
};

// A field section (RFC 9110 5): lines in the order they came, duplicates and case kept. The array lies in the message's
// arena, the texts there or in the receive buffer; both outlive it. A value of one message, in one worker.
class Fields {
 public:
  explicit Fields(Arena& arena) : arena_(&arena) {}

  void add(std::string_view name, std::string_view value) { add({name, value, field_name_from(name)}); }
  void add(FieldName name, std::string_view value) { add({to_string(name), value, name}); }
  void add(const Field& field) {
    if (size_ == capacity_) [[unlikely]]
      grow();
    fields_[size_++] = field;
    present_ |= bit_of(field.known);
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Field* begin() const { return fields_; }
  const Field* end() const { return fields_ + size_; }
  std::span<Field> lines() { return {fields_, size_}; }

  bool has(FieldName name) const { return (present_ & bit_of(name)) != 0; }
  // Any of the names whose bits are set.
  bool has_any(uint64_t names) const { return (present_ & names) != 0; }
  // The first line of that name.
  const Field* find(FieldName name) const;
  const Field* find(std::string_view name) const;
  size_t count(FieldName name) const;
  // The value of the first line of that name, or empty.
  std::string_view value(FieldName name) const;
  // All lines of that name as one list, joined by ", " (RFC 9110 5.3) in the arena when there are several.
  std::string_view combined(FieldName name) const;

  void remove(FieldName name) { remove_all(bit_of(name)); }
  // Those whose bits are set; bit 0 stands for every name that we don't know.
  void remove_all(uint64_t names);
  void remove(std::string_view name);
  void remove_with_prefix(std::string_view prefix);
  void set(std::string_view name, std::string_view value);
  void clear();

  // The texts moved with their buffer by so many bytes.
  void rebase(const char* from, const char* from_end, const char* to);

  Arena& arena() const { return *arena_; }

 private:
  static constexpr uint32_t kFirst = 24;
  [[gnu::noinline]] void grow();
  [[gnu::noinline]] void grow_again();
  template <class Predicate>
  void remove_if(Predicate matches);

  Arena* arena_;
  Field* fields_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
  uint64_t present_ = 0;
};

}   // namespace proxyd::http
