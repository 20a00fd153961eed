#include "shared/config/validate_upstreams.h"

#include <fmt/format.h>

namespace proxyd::config {
namespace {

constexpr size_t kMostTargets = 4096;

}   // namespace

void validate_upstreams(const Document& document, FindingsList& findings) {
  size_t targets = 0;
  for (const auto& [name, upstream] : document.upstreams) {
    targets += upstream.targets.size();
    if (upstream.resolve.min_ttl > upstream.resolve.max_ttl)
      findings.warning(fmt::format("/upstreams/{}/resolve/min_ttl", name), "range",
                       "min_ttl is above max_ttl: each answer is good for min_ttl");
    if (!upstream.targets.empty()) continue;
    findings.warning(fmt::format("/upstreams/{}", name), "empty",
                     fmt::format("upstream '{}' has no target: its requests get 503", name));
  }
  if (targets <= kMostTargets) return;
  findings.problem("/upstreams", "range", fmt::format("{} targets in all, at most {} can be", targets, kMostTargets));
}

}   // namespace proxyd::config
