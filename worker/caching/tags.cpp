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

void add_all(TagList& list, std::string_view value, std::string_view separators) {
  while (!value.empty() && !list.overflow) {
    const size_t end = value.find_first_of(separators);
    const std::string_view tag = http::trim(value.substr(0, end));
    if (!tag.empty()) list.add(tag);
    value = end == std::string_view::npos ? std::string_view() : value.substr(end + 1);
  }
}

}   // namespace

void TagList::add(std::string_view tag) {
  const auto known = tags();
  if (std::find(known.begin(), known.end(), tag) != known.end()) return;
  if (count == kMostTags || tag.size() > kMostTagLength)
    overflow = true;
  else
    room[count++] = tag;
}

TagList response_tags(const http::Fields& response_fields, const Policy& policy) {
  TagList list;
  for (const std::string& name : policy.tag_headers) {
    const std::string_view separators = separators_of(name);
    for (const http::Field& field : response_fields) {
      if (equals_ignoring_case(field.name, name)) add_all(list, field.value, separators);
    }
  }
  return list;
}

}   // namespace proxyd::caching
