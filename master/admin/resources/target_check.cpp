#include <fmt/format.h>

#include <algorithm>

#include "master/admin/resources/handlers.h"
#include "master/admin/resources/target_json.h"
#include "master/admin/resources/wanted_target.h"

namespace proxyd::admin {
namespace {

constexpr milliseconds kBeyond{1000};      // what the checks themselves may take
constexpr milliseconds kLongest{10'000};   // of the call, which has a thread meanwhile

}   // namespace

// Each address of the target is checked once now, by a worker, and what came of it counts as any check does.
AdminAnswer check_target(const AdminRequest& request, Context& context) {
  const WantedTarget wanted = find_target(request, context);
  if (!wanted.target) return wanted.refusal;
  if (!wanted.upstream->health.active)
    return problem("invalid",
                   fmt::format("upstream '{}' has no active checks: give it health.active", wanted.upstream->name),
                   {{"errors", Json::array()}});
  const auto& places = wanted.active->targets.at(wanted.name()).places;
  if (request.dry_run()) return json_answer({{"dry_run", true}, {"checks", Json::array()}});
  const milliseconds each = wanted.upstream->health.active->timeout;
  const milliseconds patience =
      std::min(kLongest, each * static_cast<int64_t>(std::max<size_t>(1, places.size())) + kBeyond);
  const auto answer = context.master.pool().ask(
      {{"question", "check"}, {"upstream", wanted.upstream->name}, {"target", wanted.target->id}}, patience);
  if (!answer) return problem("worker-timeout", fmt::format("no worker answered within {} ms", patience.count()));
  Json json = Json::parse(answer->dump());
  const WantedTarget now = find_target(request, context);
  if (now.target) json["target"] = target_json(*now.active, *now.upstream, *now.target, context);
  return json_answer(json);
}

}   // namespace proxyd::admin
