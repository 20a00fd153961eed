#include "worker/http/fields.h"

#include <algorithm>

#include "shared/base/bytes.h"

namespace proxyd::http {

// Most have room enough from the first time on.
void Fields::grow() {
  if (capacity_ != 0) return grow_again();
  fields_ = arena_->allocate_array<Field>(kFirst);
  capacity_ = kFirst;
}

void Fields::grow_again() {
  Field* fields = arena_->allocate_array<Field>(capacity_ * 2);
  std::copy_n(fields_, size_, fields);
  fields_ = fields;
  capacity_ *= 2;
}

const Field* Fields::find(FieldName name) const {
  if (!has(name)) return nullptr;
  const Field* found = std::find_if(begin(), end(), [name](const Field& field) { return field.known == name; });
  return found == end() ? nullptr : found;
}

const Field* Fields::find(std::string_view name) const {
  const FieldName known = field_name_from(name);
  if (known != FieldName::kOther) return find(known);
  const Field* found = std::find_if(begin(), end(), [name](const Field& field) {
    return field.known == FieldName::kOther && equals_ignoring_case(field.name, name);
  });
  return found == end() ? nullptr : found;
}

size_t Fields::count(FieldName name) const {
  if (!has(name)) return 0;
  return static_cast<size_t>(std::count_if(begin(), end(), [name](const Field& f) { return f.known == name; }));
}

std::string_view Fields::value(FieldName name) const {
  const Field* field = find(name);
  return field ? field->value : std::string_view();
}

std::string_view Fields::combined(FieldName name) const {
  const Field* first = find(name);
  if (!first) return {};
  size_t size = 0;
  size_t lines = 0;
  for (const Field* field = first; field != end(); ++field) {
    if (field->known != name) continue;
    size += field->value.size() + 2;
    ++lines;
  }
  if (lines == 1) return first->value;
  char* list = arena_->allocate_text(size);   // at once: line by line, many lines would cost their square
  char* to = list;
  for (const Field* field = first; field != end(); ++field) {
    if (field->known != name) continue;
    if (field != first) to = std::copy_n(", ", 2, to);
    to = std::copy(field->value.begin(), field->value.end(), to);
  }
  return {list, static_cast<size_t>(to - list)};
}

template <class Predicate>
void Fields::remove_if(Predicate matches) {
  Field* kept = std::remove_if(fields_, fields_ + size_, matches);
  size_ = static_cast<uint32_t>(kept - fields_);
  present_ = 0;
  for (const Field& field : *this) present_ |= bit_of(field.known);
}

void Fields::remove_all(uint64_t names) {
  if ((present_ & names) == 0) return;
  Field* kept = fields_;
  for (const Field& field : *this) {
    if ((bit_of(field.known) & names) != 0) continue;
    if (kept != &field) *kept = field;
    ++kept;
  }
  size_ = static_cast<uint32_t>(kept - fields_);
  present_ &= ~names;
}

void Fields::remove(std::string_view name) {
  const FieldName known = field_name_from(name);
  if (known != FieldName::kOther) return remove(known);
  if (!find(name)) return;
  remove_if([name](const Field& field) {
    return field.known == FieldName::kOther && equals_ignoring_case(field.name, name);
  });
}

void Fields::remove_with_prefix(std::string_view prefix) {
  remove_if([prefix](const Field& field) { return equals_ignoring_case(field.name.substr(0, prefix.size()), prefix); });
}

void Fields::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Fields::clear() {
  size_ = 0;
  present_ = 0;
}

void Fields::rebase(const char* from, const char* from_end, const char* to) {
  const auto moved = [=](std::string_view text) {
    const bool inside = text.data() >= from && text.data() < from_end;
    return inside ? std::string_view(to + (text.data() - from), text.size()) : text;
  };
  for (Field& field : lines()) {
    field.name = moved(field.name);
    field.value = moved(field.value);
  }
}

}   // namespace proxyd::http
