#pragma once

#include <array>
#include <string_view>

namespace proxyd::metrics {

// What the cache was for a request, the same word in the access log and as a label. `stale`: served although stale, by
// leave of origin or policy; `collapsed`: it followed another's fetch; `pass`: the origin's answer went by; `bypass`:
// it took no part. The first one: the route caches nothing.
inline constexpr std::array<std::string_view, 8> kCacheResults = {"",          "hit",  "stale", "collapsed",
                                                                  "validated", "miss", "pass",  "bypass"};

// Why a request was not answered from the cache alone, or its answer was not stored, in the order of caching::Reason.
inline constexpr std::array<std::string_view, 37> kCacheReasons = {"none",
                                                                   "method",
                                                                   "method_override",
                                                                   "request_content",
                                                                   "encoded_traversal",
                                                                   "precondition",
                                                                   "bypass_cookie",
                                                                   "bypass_header",
                                                                   "bypass_query",
                                                                   "bypass_path",
                                                                   "key_too_long",
                                                                   "miss",
                                                                   "vary_miss",
                                                                   "partial",
                                                                   "stale",
                                                                   "soft_purged",
                                                                   "no_cache",
                                                                   "request_no_cache",
                                                                   "request_max_age",
                                                                   "request_min_fresh",
                                                                   "status",
                                                                   "request_no_store",
                                                                   "no_store",
                                                                   "private",
                                                                   "not_understood",
                                                                   "authorization",
                                                                   "forwarding_fields",
                                                                   "vary",
                                                                   "vary_too_long",
                                                                   "coding",
                                                                   "set_cookie",
                                                                   "content_location",
                                                                   "content_range",
                                                                   "too_large",
                                                                   "no_lifetime",
                                                                   "no_validator",
                                                                   "expired"};

}   // namespace proxyd::metrics
