#pragma once

#include <optional>
#include <string>

#include "shared/config/decode.h"

namespace proxyd::config {

// Counts the values of a YAML text as they go by, before a tree is made of them: yaml-cpp's tree takes some hundred
// octets a value, so 8 MiB of commas would take gigabytes. Says what is too much, or nothing; what is no YAML is left
// to the reader. An alias counts as one here; the reader counts what it stands for.
std::optional<Problem> too_many_yaml_values(const std::string& text);

}   // namespace proxyd::config
