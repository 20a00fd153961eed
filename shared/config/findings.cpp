#include "shared/config/findings.h"

#include <fmt/format.h>

namespace proxyd::config {

void FindingsList::problem(std::string pointer, std::string code, std::string message, std::string_view suggestion) {
  problems_.add({std::move(pointer), 0, 0, std::move(code), std::move(message), did_you_mean(suggestion)});
}

void FindingsList::warning(std::string pointer, std::string code, std::string message) {
  warnings_.add({std::move(pointer), 0, 0, std::move(code), std::move(message), ""});
}

void FindingsList::missing_reference(const std::string& name, std::string pointer, std::string_view what,
                                     const std::vector<std::string_view>& names) {
  problem(std::move(pointer), "reference", fmt::format("there is no {} '{}'", what, name), nearest(name, names));
}

}   // namespace proxyd::config
