#include <fmt/format.h>

#include <algorithm>

#include "master/admin/body_fields.h"
#include "master/admin/change.h"
#include "master/admin/page.h"
#include "master/admin/resources/handlers.h"
#include "shared/base/bytes.h"

namespace proxyd::admin {
namespace {

constexpr milliseconds kLook{50};
constexpr int64_t kMostWorkers = 64;
constexpr milliseconds kLongestOverride = std::chrono::hours(24 * 366);

Json to_json(const master::WorkerInfo& worker) {
  return {{"slot", worker.slot},
          {"pid", worker.pid == 0 ? Json(nullptr) : Json(worker.pid)},
          {"generation", 1},
          {"state", worker.state},
          {"revision", worker.revision},
          {"connections", worker.connections},
          {"in_flight", worker.in_flight},
          {"memory_bytes", worker.memory_bytes},
          {"loop_lag", fmt::format("{}us", worker.loop_lag_us)},
          {"restarts", worker.restarts},
          {"last_exit", worker.last_exit.empty() ? Json(nullptr) : Json(worker.last_exit)}};
}

std::optional<uint32_t> slot_in(const std::string& text) {
  const bool digits = !text.empty() && text.size() <= 3 && std::all_of(text.begin(), text.end(), is_digit);
  return digits ? std::optional(static_cast<uint32_t>(std::stoul(text))) : std::nullopt;
}

// The process that serves in the slot now.
std::optional<pid_t> serving_in(uint32_t slot, Context& context) {
  for (const master::WorkerInfo& worker : context.master.pool().list()) {
    if (worker.slot == slot && worker.state == "running") return worker.pid;
  }
  return std::nullopt;
}

bool is_gone(pid_t pid, Context& context) {
  const auto workers = context.master.pool().list();
  return std::none_of(workers.begin(), workers.end(),
                      [pid](const master::WorkerInfo& worker) { return worker.pid == pid; });
}

bool all_serve(Context& context) {
  return context.master.pool().serving() >= static_cast<size_t>(context.master.pool().wanted());
}

}   // namespace

// There is one generation as long as the binary cannot be replaced, so `all` adds nothing to it yet.
AdminAnswer list_workers(const AdminRequest& request, Context& context) {
  Json items = Json::array();
  for (const master::WorkerInfo& worker : context.master.pool().list()) items.push_back(to_json(worker));
  return page_answer(request, items, "slot");
}

// Done when the old process has gone and all that are wanted serve.
AdminAnswer restart_worker(const AdminRequest& request, Context& context) {
  const std::string& text = request.parameters.at("slot");
  const auto slot = slot_in(text);
  const auto pid = slot ? serving_in(*slot, context) : std::nullopt;
  if (!pid) return problem("not-found", fmt::format("no worker serves in slot '{}': proxyctl worker list", text));
  const Json said{{"slot", *slot}, {"pid", *pid}, {"restarting", true}};
  if (request.dry_run()) return json_answer(said);
  if (!context.master.pool().restart(*slot, context.master.bootstrap().shutdown_grace))
    return problem("not-found", fmt::format("no worker serves in slot '{}' any more", text));
  const milliseconds limit = context.master.bootstrap().shutdown_grace + std::chrono::seconds(30);
  const auto number = context.operations.start(
      "restart", fmt::format("worker {}", *slot), request.identity.name,
      [&context, pid = *pid, said, limit](const Operations::Control& control) -> Operations::Ending {
        const Instant end = Clock::now() + limit;
        while (!is_gone(pid, context) || !all_serve(context)) {
          if (Clock::now() >= end) return {Operations::State::kTimedOut, json_answer(said)};
          if (!control.wait(kLook)) return {Operations::State::kCancelled, json_answer(said)};
        }
        return {Operations::State::kDone, json_answer(said)};
      });
  if (!number) return problem("too-many", "64 long calls run already; the worker restarts all the same");
  return answer_for(context.operations, *number, request.duration("wait", milliseconds(0), limit), said);
}

// { "count": 4 }, or null for the bootstrap's.
AdminAnswer scale_workers(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  BodyFields fields(body.json);
  const Json* count = fields.any("count");
  const bool number =
      count && count->is_number_integer() && count->get<int64_t>() >= 1 && count->get<int64_t>() <= kMostWorkers;
  if ((count && !number) || !body.json.contains("count"))
    fields.fault("count", "range",
                 fmt::format("count is a number from 1 to {}, or null for the bootstrap's", kMostWorkers));
  const auto lifetime = fields.duration("for", milliseconds(1000), kLongestOverride);
  const std::string reason = fields.text("reason").value_or("");
  if (auto refused = fields.refusal()) return *refused;
  const int wanted = number ? count->get<int>() : context.master.bootstrap().worker_count();
  if (!request.dry_run()) {
    const auto done = number ? context.master.process_overrides().put(
                                   master::ProcessOverrides::Subject::kWorkers,
                                   {std::to_string(wanted), request.identity.name, reason, lifetime})
                             : context.master.process_overrides().clear(master::ProcessOverrides::Subject::kWorkers);
    if (!done) return store_answer(done.error());
  }
  return json_answer({{"count", wanted}, {"override", number}});
}

}   // namespace proxyd::admin
