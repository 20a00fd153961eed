#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/config/decode.h"

namespace proxyd::config {

// Problems in the order they were found: 1,000 at most, then one that says there are more. A value, owned by the pass
// that fills it; any process.
class ProblemList {
 public:
  void add(Problem problem);
  // Looking for "did you mean" costs time; after the first hundred nobody reads on.
  bool wants_suggestions() const { return problems_.size() < kMostSuggestions; }
  std::vector<Problem> take() { return std::move(problems_); }

  static constexpr size_t kMost = 1000;

 private:
  static constexpr size_t kMostSuggestions = 100;
  std::vector<Problem> problems_;
};

// "did you mean 'x'?", or nothing for nothing.
std::string did_you_mean(std::string_view name);

}   // namespace proxyd::config
