#include <fmt/format.h>

#include "master/admin/body_fields.h"
#include "master/admin/change.h"
#include "master/admin/page.h"
#include "master/admin/resources/handlers.h"
#include "shared/base/log.h"

namespace proxyd::admin {
namespace {

constexpr size_t kMostRejects = 256;
constexpr milliseconds kUsualLevel = std::chrono::hours(1);
constexpr milliseconds kLongestOverride = std::chrono::hours(24 * 366);

}   // namespace

// Newest first. The id only has to tell them apart: when, and which of that moment.
AdminAnswer get_rejects(const AdminRequest& request, Context& context) {
  Json items = Json::array();
  const std::string client = request.value("client");
  const std::string reason = request.value("reason");
  int64_t moment = -1;
  int of_moment = 0;
  for (const status::Reject& one : context.master.regions().rejects().newest(kMostRejects)) {
    of_moment = one.time_ms == moment ? of_moment + 1 : 0;
    moment = one.time_ms;
    const bool wanted = (client.empty() || one.peer == client) && (reason.empty() || one.reason == reason);
    if (!wanted) continue;
    const auto time = std::chrono::system_clock::time_point(milliseconds(one.time_ms));
    items.push_back({{"id", fmt::format("{:015}-{:03}", one.time_ms, 999 - of_moment)},
                     {"time", rfc3339(time)},
                     {"from", one.from_upstream ? "upstream" : "client"},
                     {"peer", one.peer},
                     {"reason", one.reason},
                     {"offset", one.fault_offset},
                     {"excerpt", one.excerpt}});
  }
  return page_answer(request, items, "id", Order::kFalling);
}

// { "level": "debug", "for": "10m" }, or null for the document's. It goes back by itself, after an hour at the latest
// unless another time was given.
AdminAnswer patch_log_level(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  BodyFields fields(body.json);
  const std::string name = fields.text("level").value_or("");
  auto lifetime = fields.duration("for", milliseconds(1000), kLongestOverride);
  if (!lifetime && !name.empty()) lifetime = kUsualLevel;
  const std::string reason = fields.text("reason").value_or("");
  if (!body.json.contains("level") || (!name.empty() && !log_level_from(name)))
    fields.fault("level", "value", "level is debug, info, warning or error, or null for the document's");
  if (auto refused = fields.refusal()) return *refused;
  if (!request.dry_run()) {
    const auto done = name.empty()
                          ? context.master.process_overrides().clear(master::ProcessOverrides::Subject::kLogLevel)
                          : context.master.process_overrides().put(master::ProcessOverrides::Subject::kLogLevel,
                                                                   {name, request.identity.name, reason, lifetime});
    if (!done) return store_answer(done.error());
  }
  return json_answer(
      {{"level", name.empty() ? Json(nullptr) : Json(name)},
       {"expires", lifetime ? Json(rfc3339(std::chrono::system_clock::now() + *lifetime)) : Json(nullptr)}});
}

}   // namespace proxyd::admin
