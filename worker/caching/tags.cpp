#include "worker/caching/tags.h"

#include <algorithm>

#include "shared/base/bytes.h"
#include "worker/http/list.h"

namespace proxyd::caching {
namespace {

std::string_view separators_of(std::string_view name) {
  if (equals_ignoring_case(name, "Surrogate-Key")) return " \t";
  if (equals_ignoring_case(name, "Cache-Tag") || equals_ignoring_case(name, "Edge-Cache-Tag")) return ",";
  return " \t,";
}

}   // namespace

TagMembers::TagMembers(std::string_view field_name, std::string_view value)
    : separators_(separators_of(field_name)), rest_(value) {}

bool TagMembers::next(std::string_view& tag) {
  while (!rest_.empty()) {
    const size_t end = rest_.find_first_of(separators_);
    tag = http::trim(rest_.substr(0, end));
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    if (!tag.empty()) return true;
  }
  return false;
}

void TagList::add(std::string_view tag, http::Arena& arena) {
  const auto known = tags();
  if (std::find(known.begin(), known.end(), tag) != known.end()) return;
  if (count_ == kMostTags || tag.size() > kMostTagLength) return overflow();
  if (!tags_) tags_ = arena.allocate_array<std::string_view>(kMostTags);
  tags_[count_++] = tag;
}

bool has_tag_field(const http::Fields& response_fields, const Policy& policy) {
  if (!response_fields.has_any(policy.tag_names)) return false;
  for (const http::Field& field : response_fields) {
    if ((policy.tag_names & http::bit_of(field.known)) == 0) continue;
    for (const std::string& name : policy.tag_headers) {
      if (name.size() == field.name.size() && equals_ignoring_case(field.name, name)) return true;
    }
  }
  return false;
}

TagList response_tags(const http::Fields& response_fields, const Policy& policy) {
  TagList list;
  for (const std::string& name : policy.tag_headers) {
    for (const http::Field& field : response_fields) {
      if (!equals_ignoring_case(field.name, name)) continue;
      TagMembers members(name, field.value);
      std::string_view tag;
      while (!list.overflowed() && members.next(tag)) list.add(tag, response_fields.arena());
    }
  }
  return list;
}

}   // namespace proxyd::caching
