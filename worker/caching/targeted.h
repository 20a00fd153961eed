#pragma once

#include <optional>
#include <string_view>

#include "worker/caching/cache_control.h"
#include "worker/caching/policy.h"

namespace proxyd::caching {

// The directives of a targeted field (RFC 9213): a dictionary whose numbers are Integers and whose flags are Booleans.
// Nothing for one that is empty, malformed, or has another type where we know the directive.
std::optional<CacheControl> parse_targeted(std::string_view field);

// What a response says about its caching: the first valid field of the policy's `targeted` list, which replaces
// Cache-Control and Expires, else Cache-Control.
struct ResponseDirectives {
  CacheControl control;
  bool targeted = false;
};

ResponseDirectives response_directives(const http::Fields& fields, const Policy& policy);

}   // namespace proxyd::caching
