#pragma once

#include <string>
#include <vector>

namespace proxyd::config {

// One wrong document and what must be said of it.
struct Wrong {
  const char* what;
  std::string text;
  const char* code;
  const char* pointer;   // null: not compared
  const char* suggestion = "";
  int line = 0;
  int column = 0;
};

// Wrong in how they are written, in their shape, in their texts, in what they say of each other.
std::vector<Wrong> wrong_by_syntax();
std::vector<Wrong> wrong_by_shape();
std::vector<Wrong> wrong_by_text();
std::vector<Wrong> wrong_by_rule();

}   // namespace proxyd::config
