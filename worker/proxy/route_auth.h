#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shared/config/snapshot.h"
#include "shared/metrics/auth_words.h"
#include "shared/metrics/metrics_region.h"
#include "worker/authentication/requirement.h"

namespace proxyd::proxy {

using metrics::AuthResult;

// What a route asks of clients, the host's first, and how often that came to what. Empty for a route that asks nothing.
// Immutable; owned by the configuration.
struct RouteAuth {
  std::vector<std::shared_ptr<const authentication::Requirement>> requirements;
  std::array<metrics::Cell, metrics::kAuthResults.size()> by_result;

  void count(AuthResult result) const { by_result[static_cast<size_t>(result)].add(); }
};

// Makes requirements of snapshots. Owned by the configuration's builder. What is the same as before, by its content, is
// taken over.
class Requirements {
 public:
  using Shared = std::shared_ptr<const authentication::Requirement>;

  // Those of a route. Fails naming the file.
  Result<std::vector<Shared>> of_route(const config::Route& route, const config::Materials& materials);
  // What no route asks any more is let go.
  void settle();

 private:
  std::map<Sha256, std::weak_ptr<const authentication::Requirement>> made_;
};

}   // namespace proxyd::proxy
