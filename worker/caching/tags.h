#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "worker/caching/policy.h"
#include "worker/http/fields.h"

namespace proxyd::caching {

inline constexpr size_t kMostTags = 128;
inline constexpr size_t kMostTagLength = 1024;

// Walks the tags in one line of a field, divided by white space in Surrogate-Key, by commas in Cache-Tag and
// Edge-Cache-Tag, by both in others. Case counts. Views into the line.
class TagMembers {
 public:
  TagMembers(std::string_view field_name, std::string_view value);

  // False when there is none any more.
  bool next(std::string_view& tag);

 private:
  std::string_view separators_;
  std::string_view rest_;
};

// What a stored response can be purged by beside its URL, each tag once. Views into the response.
struct TagList {
  std::array<std::string_view, kMostTags> room;
  size_t count = 0;
  bool overflow = false;   // there were more, or one was too long: every purge of a tag takes it

  std::span<const std::string_view> tags() const& { return {room.data(), count}; }
  std::span<const std::string_view> tags() && = delete;   // a view into a temporary
  void add(std::string_view tag);
};

// The tags in the policy's fields.
TagList response_tags(const http::Fields& response_fields, const Policy& policy);

}   // namespace proxyd::caching
