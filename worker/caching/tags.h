#pragma once

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

// What a stored response can be purged by beside its URL, each tag once. Views into the response; the list itself lies
// in the arena that the first tag is added with, so that an answer without tags costs nothing.
class TagList {
 public:
  // Of kMostTags, and none longer than kMostTagLength; what does not fit is an overflow.
  void add(std::string_view tag, http::Arena& arena);
  void overflow() { overflowed_ = true; }

  std::span<const std::string_view> tags() const { return {tags_, count_}; }
  // There were more, or one was too long: every purge of a tag takes it.
  bool overflowed() const { return overflowed_; }

 private:
  std::string_view* tags_ = nullptr;
  size_t count_ = 0;
  bool overflowed_ = false;
};

// Whether a field that the policy's tags come in is there, with or without a tag in it.
bool has_tag_field(const http::Fields& response_fields, const Policy& policy);

// The tags in the policy's fields.
TagList response_tags(const http::Fields& response_fields, const Policy& policy);

}   // namespace proxyd::caching
