#pragma once

#include <string>
#include <string_view>

#include "shared/config/problem_list.h"
#include "shared/config/schema.h"

namespace proxyd::config {

// What validation has found so far, by pointer. Owned by `validate`, filled by its parts.
class FindingsList {
 public:
  void problem(std::string pointer, std::string code, std::string message, std::string_view suggestion = {});
  void warning(std::string pointer, std::string code, std::string message);

  // A problem unless `map` has an entry of that name.
  template <class Map>
  void refer(const Map& map, const std::string& name, std::string pointer, std::string_view what) {
    if (map.contains(name)) return;
    std::vector<std::string_view> names;
    if (problems_.wants_suggestions()) {
      for (const auto& [known, value] : map) names.push_back(known);
    }
    missing_reference(name, std::move(pointer), what, names);
  }

  std::vector<Problem> take_problems() { return problems_.take(); }
  std::vector<Problem> take_warnings() { return warnings_.take(); }

 private:
  void missing_reference(const std::string& name, std::string pointer, std::string_view what,
                         const std::vector<std::string_view>& names);

  ProblemList problems_;
  ProblemList warnings_;
};

}   // namespace proxyd::config
