#include "shared/config/field_name.h"

#include <algorithm>
#include <array>

#include "shared/base/bytes.h"

namespace proxyd::config {
namespace {

constexpr std::array<std::string_view, 10> kOurs = {"connection",        "content-length",   "expect", "host",
                                                    "keep-alive",        "proxy-connection", "te",     "trailer",
                                                    "transfer-encoding", "upgrade"};

bool is_token_character(char c) {
  const char lower = ascii_lower(c);
  const bool plain = (lower >= 'a' && lower <= 'z') || is_digit(c);
  return plain || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

}   // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_connection_field(std::string_view name) {
  return std::any_of(kOurs.begin(), kOurs.end(),
                     [name](std::string_view ours) { return equals_ignoring_case(ours, name); });
}

bool covers_connection_field(std::string_view prefix) {
  return std::any_of(kOurs.begin(), kOurs.end(), [prefix](std::string_view ours) {
    return equals_ignoring_case(ours.substr(0, prefix.size()), prefix);
  });
}

}   // namespace proxyd::config
