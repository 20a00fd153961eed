#include "worker/caching/groups.h"

#include "worker/caching/field_lines.h"
#include "worker/caching/invalidation.h"
#include "worker/caching/structured_field.h"

namespace proxyd::caching {
namespace {

// Nothing is read where there is no such field: most answers have none.
TagList list_of_strings(const http::Fields& fields, std::string_view name) {
  const std::string_view value = combined_lines(fields, name);
  if (value.empty()) return {};
  TagList names;
  StructuredField members(value, StructuredField::Type::kList);
  while (const auto member = members.next()) {
    if (member->kind != StructuredMember::Kind::kString) return {};
    names.add(member->text, fields.arena());
  }
  return members.well_formed() ? names : TagList{};
}

}   // namespace

TagList cache_groups(const http::Fields& response_fields) { return list_of_strings(response_fields, "Cache-Groups"); }

TagList invalidated_groups(const http::RequestHead& request, const http::ResponseHead& response) {
  if (!is_unsafe(request)) return {};
  return list_of_strings(response.fields, "Cache-Group-Invalidation");
}

std::string_view group_tag(const Url& origin, std::string_view group, http::Arena& arena) {
  return arena.concat(http::to_string(origin.scheme), "://", origin.authority, "\n", group);
}

}   // namespace proxyd::caching
