#pragma once

#include <string_view>

#include "worker/http/fields.h"

namespace proxyd::caching {

// All lines of a field by its name, known or not, as one value joined by ", " (RFC 9110 5.3), in the fields' arena when
// there are several. Null data when there is none.
std::string_view combined_lines(const http::Fields& fields, std::string_view name);

}   // namespace proxyd::caching
