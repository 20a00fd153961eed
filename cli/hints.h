#pragma once

#include <string>

namespace proxyd::cli {

// What helps when the server refuses with that problem code: words with the command to run. Empty where
// the cause says it all. A plain function.
std::string hint_for(const std::string& code);

}   // namespace proxyd::cli
