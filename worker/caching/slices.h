#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "worker/caching/policy.h"
#include "worker/http/fields.h"
#include "worker/http/head.h"
#include "worker/http/range.h"

namespace proxyd::caching {

// A content that is stored in slices: parts of one size, each aligned to it and the last one shorter, each fetched by a
// Range of its own (RFC 9110 14.2) and stored under a key of its own. They make one content only under the same strong
// validator (RFC 9110 15.3.7.3). Plain functions.
struct Slice {
  http::ByteRange range;
  uint64_t complete = 0;   // the length of the whole
  std::string_view etag;

  bool is_of_one_content_with(const Slice& other) const { return complete == other.complete && etag == other.etag; }
};

// What a 206 has, when that is the slice of this number and can be joined to others; else nothing.
std::optional<Slice> slice_of(const http::Fields& fields, uint64_t number, uint64_t size);

// "bytes=65536-131071"
std::string range_of_slice(uint64_t number, uint64_t size);

// A slice's part of the key, added to what else keeps answers apart.
std::string_view slice_partition(std::string_view partition, uint64_t number, uint64_t size, http::Arena& arena);

// The key of another slice of the content that the slice of this key and number is of. Empty where the answers vary.
std::string key_of_another_slice(std::string_view key, uint64_t number, uint64_t other);

// The first octet that is wanted, as far as that can be known before the length is: 0 for the last octets. Nothing
// where several ranges may be meant.
std::optional<uint64_t> first_octet_wanted(std::string_view range_field);
// Of a request. Nothing, too, where it takes no part in caching or the policy has no slices.
std::optional<uint64_t> octet_to_begin_with(const http::RequestHead& request, const Policy& policy);

}   // namespace proxyd::caching
