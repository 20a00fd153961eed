#include "master/target_subject.h"

#include <fmt/format.h>

namespace proxyd::master {
namespace {

constexpr std::string_view kPrefix = "target:";
constexpr std::string_view kAdmission = "admission";
constexpr std::string_view kWeight = "weight";

}   // namespace

std::optional<TargetSubject> TargetSubject::parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const size_t slash = text.find('/');
  const size_t colon = text.rfind(':');
  if (slash == std::string_view::npos || colon == std::string_view::npos || colon < slash) return std::nullopt;
  const std::string_view aspect = text.substr(colon + 1);
  if (aspect != kAdmission && aspect != kWeight) return std::nullopt;
  return TargetSubject{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1, colon - slash - 1)),
                       aspect == kWeight ? Aspect::kWeight : Aspect::kAdmission};
}

std::string TargetSubject::text() const {
  return fmt::format("{}{}/{}:{}", kPrefix, upstream, target, aspect == Aspect::kWeight ? kWeight : kAdmission);
}

}   // namespace proxyd::master
