#pragma once

#include <optional>
#include <string_view>

#include "shared/config/decode.h"

namespace proxyd::config {

// What makes a text no document whatever its syntax: more than 8 MiB, or octets that are not well-formed UTF-8.
std::optional<Problem> unreadable(std::string_view text);

// The first control character that YAML 1.2.2 5.1 does not allow. yaml-cpp takes NUL for a sign of UTF-16 or UTF-32
// and would read another document than the one written.
std::optional<Problem> unprintable(std::string_view text);

}   // namespace proxyd::config
