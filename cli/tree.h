#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace proxyd::cli {

// The command tree as completions, the manual page and error messages need it; made of CLI11's. Values.

struct OptionView {
  std::vector<std::string> names;   // "-f", "--file"; of an argument: none
  std::string value;                // "FILE|DIR|-", "bash|zsh|fish", "UPSTREAM"; empty: a flag
  std::string text;
  bool required = false;
  bool repeats = false;
};

struct CommandView {
  std::string words;   // "upstream target add"; of the root: none
  std::string text;
  std::vector<OptionView> options;
  std::vector<OptionView> arguments;
  struct Verb {
    std::string name;
    std::string text;
  };
  std::vector<Verb> verbs;   // empty: it does something itself
};

// Every command in the order of the tree, the root first.
std::vector<CommandView> commands_of(const CLI::App& root);

}   // namespace proxyd::cli
