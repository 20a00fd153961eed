#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace proxyd::admin {

// "%2F" as "/" (RFC 3986 2.1); nothing when an escape is broken, or what comes out is not UTF-8 or holds a control.
std::optional<std::string> percent_decoded(std::string_view text);

// The parameters of a query. Fails naming the one that is broken or given twice: of two values none can be meant.
Result<std::map<std::string, std::string>> parse_query(std::string_view text);

// Why `value` cannot be of the parameter `name`, or empty. Every parameter of the API has one meaning, wherever it is.
std::string fault_of_parameter(std::string_view name, const std::string& value);
// Its JSON Schema, for the OpenAPI document.
std::string_view pattern_of_parameter(std::string_view name);

}   // namespace proxyd::admin
