#include "shared/config/validate_upstreams.h"

#include <fmt/format.h>

namespace proxyd::config {
void validate_upstreams(const Document& document, FindingsList& findings) {
  size_t targets = 0;
  for (const auto& [name, upstream] : document.upstreams) {
    targets += upstream.targets.size();
    if (upstream.resolve.min_ttl > upstream.resolve.max_ttl)
      findings.warning(fmt::format("/upstreams/{}/resolve/min_ttl", name), "range",
                       "min_ttl is above max_ttl: each answer is good for min_ttl");
    const bool dynamic = upstream.membership == Membership::kDynamic;
    if (dynamic && !upstream.targets.empty())
      findings.problem(fmt::format("/upstreams/{}/targets", name), "range",
                       fmt::format("membership is dynamic: the targets of '{0}' come by the API alone; leave them out "
                                   "here, and add them by: proxyctl upstream target add {0} ADDRESS",
                                   name));
    if (dynamic || !upstream.targets.empty()) continue;
    findings.warning(fmt::format("/upstreams/{}", name), "empty",
                     fmt::format("upstream '{}' has no target: its requests get 503", name));
  }
  if (targets <= kMostTargets) return;
  findings.problem("/upstreams", "range", fmt::format("{} targets in all, at most {} can be", targets, kMostTargets));
}

}   // namespace proxyd::config
