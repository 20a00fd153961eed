#pragma once

#include <string>
#include <string_view>

#include "shared/config/schema.h"

namespace proxyd::config {

// What is wrong with a text of that format, in words that finish "'x' …"; empty when nothing is. `later` says that it
// is right but of a later feature. A value; any process.
struct TextFault {
  std::string message;
  bool later = false;
  bool ok() const { return message.empty(); }
};

TextFault check_text(TextFormat format, std::string_view text);

// The most octets that a text of that format may have.
size_t longest(TextFormat format);

}   // namespace proxyd::config
