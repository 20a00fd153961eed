#pragma once

#include <string>
#include <string_view>

#include "shared/config/decode.h"
#include "shared/config/node.h"
#include "shared/config/schema.h"

namespace proxyd::config {

// What one scalar of the document comes to: its canonical value, or why it has none. A value; any process.
struct Scalar {
  Json value;
  std::string code;   // of the problem; empty when there is none
  std::string message;
  std::string suggestion;   // what was probably meant, or empty
  bool ok() const { return code.empty(); }
};

// Reads a duration, size, count, integer, boolean, word or text, and bounds it as its type says.
Scalar read_scalar(const ValueType& type, const Node& node);

// A word as JSON has it: a boolean where it is true or false, else a text.
Json word_value(std::string_view word);

}   // namespace proxyd::config
