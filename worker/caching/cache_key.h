#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "worker/caching/policy.h"
#include "worker/caching/url.h"

namespace proxyd::caching {

inline constexpr size_t kMostKey = 8192;
inline constexpr size_t kMostSortedParameters = 64;

// The primary key of a request (RFC 9111 2) as text, in the request's arena:
//
//   scheme://authority/path?query  then, each behind a line end, which nothing of a request holds,
//   name:value of each header, or the name alone where there is none;  ;name=value of each cookie;  @partition
//
// so that two requests have the same text only if the rules see nothing that tells them apart.
struct CacheKey {
  std::string_view text;
  size_t url_begin = 0;
  size_t url_end = 0;

  // "authority/path?query": what a purge names, for both schemes.
  std::string_view url() const { return text.substr(url_begin, url_end - url_begin); }
};

// The query is sorted by name, the order of equal names kept, up to kMostSortedParameters; above, it stays as it came.
// What the rules leave out the origin still sees, so a parameter is left out only if no origin could take it for one
// that the rules name: `only` also keeps what differs in case or in the ways that some frameworks overlook ("v[]",
// "a.b" for "a_b"), and what holds a semicolon is always kept. Nothing when the key is longer than kMostKey.
// `partition`: what else keeps answers apart, as the name of an upstream.
std::optional<CacheKey> cache_key(const Url& url, const http::Fields& request_fields, const KeyRules& rules,
                                  std::string_view partition);

}   // namespace proxyd::caching
