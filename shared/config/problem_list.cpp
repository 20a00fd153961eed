#include "shared/config/problem_list.h"

#include <fmt/format.h>

namespace proxyd::config {

void ProblemList::add(Problem problem) {
  if (problems_.size() > kMost) return;
  if (problems_.size() < kMost) return problems_.push_back(std::move(problem));
  const std::string message = fmt::format("more than {} problems: correct these and try again to see the rest", kMost);
  problems_.push_back({"", problem.line, problem.column, "too-many", message, ""});
}

std::string did_you_mean(std::string_view name) { return name.empty() ? "" : fmt::format("did you mean '{}'?", name); }

}   // namespace proxyd::config
