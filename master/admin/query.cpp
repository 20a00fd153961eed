#include "master/admin/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "shared/base/bytes.h"
#include "shared/config/units.h"

namespace proxyd::admin {
namespace {

constexpr size_t kMostValue = 4096;

enum class Type { kText, kFlag, kDuration, kNumber, kFormat };

struct Parameter {
  std::string_view name;
  Type type;
};

// Those that are not here are free text.
constexpr std::array<Parameter, 13> kParameters = {{
    {"dry_run", Type::kFlag},
    {"missing_ok", Type::kFlag},
    {"force", Type::kFlag},
    {"keep", Type::kFlag},
    {"strict", Type::kFlag},
    {"source", Type::kFlag},
    {"all", Type::kFlag},
    {"drain", Type::kDuration},
    {"wait", Type::kDuration},
    {"limit", Type::kNumber},
    {"min_up", Type::kNumber},
    {"to", Type::kNumber},
    {"format", Type::kFormat},
}};

Type type_of(std::string_view name) {
  const auto found =
      std::find_if(kParameters.begin(), kParameters.end(), [name](const Parameter& one) { return one.name == name; });
  return found == kParameters.end() ? Type::kText : found->type;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 15 && std::all_of(text.begin(), text.end(), is_digit);
}

}   // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
    out += c;
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

Result<std::map<std::string, std::string>> parse_query(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    std::string pair(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    std::replace(pair.begin(), pair.end(), '+', ' ');
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decoded(pair.substr(0, equals));
    const auto value = percent_decoded(equals < pair.size() ? pair.substr(equals + 1) : "");
    if (!name || !value || value->size() > kMostValue)
      return Error{fmt::format("the query parameter '{}' cannot be read", pair.substr(0, 64))};
    if (!query.emplace(*name, *value).second)
      return Error{fmt::format("the query parameter '{}' is given twice", *name)};
  }
  return query;
}

std::string fault_of_parameter(std::string_view name, const std::string& value) {
  switch (type_of(name)) {
    case Type::kFlag: return value.empty() || value == "true" || value == "false" ? "" : "is true or false";
    case Type::kDuration: return config::parse_duration(value) ? "" : "is a duration, as 30s";
    case Type::kNumber: return is_number(value) ? "" : "is a number";
    case Type::kFormat: return value == "yaml" || value == "json" ? "" : "is yaml or json";
    case Type::kText: break;
  }
  return {};
}

std::string_view pattern_of_parameter(std::string_view name) {
  switch (type_of(name)) {
    case Type::kFlag: return "^(true|false)?$";
    case Type::kDuration: return "^[0-9]+(ms|s|m|h|d|w)$";
    case Type::kNumber: return "^[0-9]{1,15}$";
    case Type::kFormat: return "^(yaml|json)$";
    case Type::kText: break;
  }
  return "^[^\\x00-\\x1f\\x7f]*$";
}

}   // namespace proxyd::admin
