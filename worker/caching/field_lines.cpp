#include "worker/caching/field_lines.h"

#include "shared/base/bytes.h"

namespace proxyd::caching {
namespace {

bool is_of(const http::Field& field, http::FieldName known, std::string_view name) {
  return field.known == known && (known != http::FieldName::kOther || equals_ignoring_case(field.name, name));
}

}   // namespace

std::string_view combined_lines(const http::Fields& fields, std::string_view name) {
  const http::FieldName known = http::field_name_from(name);
  if (!fields.has(known)) return {};
  size_t size = 0;
  size_t lines = 0;
  std::string_view only;
  for (const http::Field& field : fields) {
    if (!is_of(field, known, name)) continue;
    size += field.value.size() + 2;
    ++lines;
    only = field.value.data() ? field.value : std::string_view("");
  }
  if (lines <= 1) return only;
  char* const list = fields.arena().allocate_text(size);   // at once: line by line would cost the square
  char* to = list;
  for (const http::Field& field : fields) {
    if (!is_of(field, known, name)) continue;
    if (to != list) to = put_octets(to, ", ");
    to = put_octets(to, field.value);
  }
  return {list, static_cast<size_t>(to - list)};
}

}   // namespace proxyd::caching
