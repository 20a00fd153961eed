#include <fmt/format.h>

#include "master/admin/change.h"
#include "master/admin/resources/handlers.h"

namespace proxyd::admin {
namespace {

constexpr milliseconds kPatience{2000};
constexpr int64_t kMostWorkers = 64;

Json to_json(const master::WorkerInfo& worker) {
  return {{"slot", worker.slot}, {"pid", worker.pid}, {"generation", 1}, {"state", worker.state}, {"revision", worker.revision},
          {"connections", worker.connections}, {"in_flight", worker.in_flight}, {"memory_bytes", worker.memory_bytes},
          {"loop_lag", fmt::format("{}us", worker.loop_lag_us)}, {"restarts", worker.restarts},
          {"last_exit", worker.last_exit.empty() ? Json(nullptr) : Json(worker.last_exit)}};
}

}  // namespace

AdminAnswer list_workers(const AdminRequest&, Context& context) {
  Json items = Json::array();
  for (const master::WorkerInfo& worker : context.master.pool().list()) items.push_back(to_json(worker));
  return json_answer({{"items", std::move(items)}, {"next_cursor", nullptr}});
}

AdminAnswer restart_worker(const AdminRequest& request, Context& context) {
  const std::string& text = request.parameters.at("slot");
  const bool number = text.size() <= 3 && text.find_first_not_of("0123456789") == std::string::npos;
  const uint32_t slot = number ? static_cast<uint32_t>(std::stoul(text)) : 999;
  const bool done = number && (request.dry_run() || context.master.pool().restart(slot, context.master.bootstrap().shutdown_grace));
  if (!done) return problem("not-found", fmt::format("no worker serves in slot '{}'", text));
  return json_answer({{"slot", slot}, {"restarting", true}}, 202);
}

// { "count": 4 }, or null for the bootstrap's.
AdminAnswer scale_workers(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  const Json count = body.json.value("count", Json("missing"));
  const bool number = count.is_number_integer() && count.get<int64_t>() >= 1 && count.get<int64_t>() <= kMostWorkers;
  if (!number && !count.is_null()) return problem("invalid", fmt::format("count is a number from 1 to {}, or null for the bootstrap's", kMostWorkers), {{"errors", Json::array()}});
  const int wanted = number ? count.get<int>() : context.master.bootstrap().worker_count();
  if (!request.dry_run()) context.master.pool().scale(wanted, context.master.bootstrap().shutdown_grace);
  return json_answer({{"count", wanted}});
}

AdminAnswer post_explain(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  if (!body.json.value("url", Json()).is_string()) return problem("invalid", "url is missing", {{"errors", Json::array()}});
  nlohmann::json question = nlohmann::json::parse(body.json.dump());
  question["question"] = "explain";
  const auto answer = context.master.pool().ask(question, kPatience);
  if (!answer) return problem("worker-timeout", "no worker answered within 2 s");
  if (answer->contains("error")) return problem("invalid", answer->at("error").get<std::string>(), {{"errors", Json::array()}});
  return json_answer(Json::parse(answer->dump()));
}

}  // namespace proxyd::admin
