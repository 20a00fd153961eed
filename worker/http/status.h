#pragma once

#include <string_view>

namespace proxyd::http {

// The reason phrase of RFC 9110 15 and its registry; "Unknown" for what is not in it.
std::string_view reason_phrase(int status);

}   // namespace proxyd::http
