#pragma once

#include <string_view>

namespace proxyd::routing {

// Where certificate authorities look for what shows that a name is ours (RFC 8555 8.3).
inline bool is_acme_challenge(std::string_view path) { return path.starts_with("/.well-known/acme-challenge/"); }

}   // namespace proxyd::routing
