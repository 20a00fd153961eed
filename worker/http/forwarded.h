#pragma once

#include <string_view>

namespace proxyd::http {

// The value of `for`, `proto` … in one element of Forwarded, without quotes (RFC 7239 4); empty: it has none.
std::string_view forwarded_parameter(std::string_view element, std::string_view name);

}   // namespace proxyd::http
