#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace proxyd::authentication {

// A JSON object, or nothing: for text that is none, that names a member twice in one object (readers that took the
// first and those that took the last would disagree, RFC 8725 2.4), or that nests more than 8 deep. Any process.
std::optional<nlohmann::json> read_strict_object(std::string_view text);

// The text at `name`; nothing when there is none or it is no text.
std::optional<std::string> text_at(const nlohmann::json& object, const char* name);

}   // namespace proxyd::authentication
