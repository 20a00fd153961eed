#pragma once

#include <string_view>

namespace proxyd::config {

// A token of RFC 9110 5.6.2: what names of fields, methods and cookies are made of.
bool is_token(std::string_view text);

// Fields that frame a message or belong to one connection (RFC 9110 7.6.1, RFC 9112 6), and Host, which the upstream's
// `host` decides. No header edit may touch them.
bool is_connection_field(std::string_view name);

// Whether a removal of `prefix*` would take one of them along.
bool covers_connection_field(std::string_view prefix);

}   // namespace proxyd::config
