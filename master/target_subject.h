#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace proxyd::master {

// What an override of a target is about, as its subject in the store spells it: "target:app/one:admission". A value.
struct TargetSubject {
  enum class Aspect { kAdmission, kWeight };

  std::string upstream;
  std::string target;
  Aspect aspect = Aspect::kAdmission;

  // Nothing for a subject of another kind.
  static std::optional<TargetSubject> parse(std::string_view text);
  std::string text() const;
  std::string name() const { return upstream + "/" + target; }   // of the target, "app/one"
};

}   // namespace proxyd::master
