#include "master/target_attention.h"

#include <fmt/format.h>

#include "master/target_state.h"

namespace proxyd::master {
namespace {

struct Counted {
  size_t usable = 0;   // may get requests, those among them that are checked for the first time
  size_t down = 0;
  std::string reason;   // of one that is
};

Counted count(const ActiveConfiguration& active, const config::Upstream& upstream, const status::StatusRegion& status,
              uint64_t now_ms) {
  Counted counted;
  for (const auto& [id, target] : upstream.targets) {
    const auto material = active.targets.find(upstream.name + "/" + id);
    if (material == active.targets.end()) continue;
    const TargetState state = state_of(upstream, target, material->second, status, now_ms);
    const bool first_check = state.word == "checking" && !material->second.places.empty();
    counted.usable += gets_requests(state.word) || first_check ? 1 : 0;
    if (state.word != "down") continue;
    ++counted.down;
    counted.reason = fmt::format(" ('{}': {})", id, state.reason);
  }
  return counted;
}

}   // namespace

void add_upstreams(const ActiveConfiguration& active, const status::StatusRegion& status, uint64_t now_ms,
                   std::vector<Attention>& all) {
  for (const auto& [name, upstream] : active.document.upstreams) {
    if (upstream.targets.empty()) continue;
    const Counted counted = count(active, upstream, status, now_ms);
    const std::string command = "proxyctl upstream show " + name;
    if (counted.usable == 0)
      all.push_back({"error", "no-target-up",
                     fmt::format("no target of upstream '{}' is up: its requests get 503{}", name, counted.reason),
                     command});
    else if (counted.down > 0)
      all.push_back({"warning", "targets-down",
                     fmt::format("{} of {} targets of upstream '{}' {} down{}", counted.down, upstream.targets.size(),
                                 name, counted.down == 1 ? "is" : "are", counted.reason),
                     command});
  }
}

}   // namespace proxyd::master
