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

// What a stored response can be purged by beside its URL, each tag once. Views into the response.
struct TagList {
  std::array<std::string_view, kMostTags> room;
  size_t count = 0;
  bool overflow = false;   // there were more, or one was too long: every purge of a tag takes it

  std::span<const std::string_view> tags() const& { return {room.data(), count}; }
  std::span<const std::string_view> tags() && = delete;   // a view into a temporary
  void add(std::string_view tag);
};

// The tags in the policy's fields: divided by white space in Surrogate-Key, by commas in Cache-Tag and Edge-Cache-Tag,
// by both in others. Case counts.
TagList response_tags(const http::Fields& response_fields, const Policy& policy);

}   // namespace proxyd::caching
