#include "cli/validators.h"

#include <fmt/format.h>

#include "shared/config/units.h"

namespace proxyd::cli {

CLI::Validator duration() {
  return CLI::Validator(
      [](std::string& text) {
        return config::parse_duration(text)
                   ? std::string()
                   : fmt::format("'{}' is no duration: a number with its unit, as 30s, 5m, 2h", text);
      },
      "", "duration");
}

CLI::Validator weight_or_percentage() {
  return CLI::Validator(
      [](std::string& text) {
        const std::string number = text.ends_with('%') ? text.substr(0, text.size() - 1) : text;
        const bool digits =
            !number.empty() && number.size() <= 5 && number.find_first_not_of("0123456789") == std::string::npos;
        return digits && std::stoi(number) <= 10'000
                   ? std::string()
                   : fmt::format("'{}' is no weight: 0 to 10000, or a percentage of the document's, as 50%", text);
      },
      "", "weight");
}

}   // namespace proxyd::cli
