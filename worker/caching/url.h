#pragma once

#include <optional>
#include <string_view>

#include "worker/http/head.h"

namespace proxyd::caching {

// What a request asks for, in the one normal form of its parts: the URL the client used. Views into its message.
struct Url {
  http::Scheme scheme = http::Scheme::kHttp;
  std::string_view authority;   // lower case, with the port unless it is the scheme's
  std::string_view path;
  std::string_view query;
  bool has_query = false;

  bool operator==(const Url&) const = default;
  // The same scheme, host and port (RFC 9110 4.3.1).
  bool same_origin(const Url& other) const { return scheme == other.scheme && authority == other.authority; }
};

// A URI reference, as in Location, resolved against `base` (RFC 3986 5.2) and brought into normal form, without its
// fragment. Nothing for what is no http or https URI.
std::optional<Url> resolve(std::string_view reference, const Url& base, http::Arena& arena);

}   // namespace proxyd::caching
