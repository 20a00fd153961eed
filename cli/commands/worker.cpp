#include <fmt/format.h>

#include <memory>

#include "cli/commands/commands.h"

namespace proxyd::cli {
namespace {

Exit list(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/workers");
  std::vector<std::vector<std::string>> rows = {{"SLOT", "PID", "STATE", "REVISION", "CONNECTIONS", "IN FLIGHT", "MEMORY", "RESTARTS", "LAST EXIT"}};
  for (const Json& one : outcome.ok() ? outcome.reply.json().value("items", Json::array()) : Json::array()) {
    rows.push_back({text_of(one, "slot"), text_of(one, "pid"), text_of(one, "state"), text_of(one, "revision"), text_of(one, "connections"), text_of(one, "in_flight"), fmt::format("{} KiB", one.value("memory_bytes", uint64_t{0}) / 1024), text_of(one, "restarts"), text_of(one, "last_exit")});
  }
  return session.show(outcome, table(rows));
}

Exit restart(const Session& session, int slot) {
  if (!session.confirmed(fmt::format("restart worker {}", slot))) return Exit::kUsage;
  const Session::Outcome outcome = session.call({"POST", fmt::format("/api/v1/workers/{}:restart", slot), "", "", {}});
  return session.show(outcome, fmt::format("worker {} drains, another starts\n", slot));
}

Exit scale(const Session& session, const std::string& count) {
  const Json body{{"count", count == "auto" ? Json(nullptr) : Json(std::stoi(count))}};
  const Session::Outcome outcome = session.call({"PATCH", "/api/v1/workers", body.dump(), "application/json", {}});
  return session.show(outcome, fmt::format("{} workers\n", outcome.ok() ? text_of(outcome.reply.json(), "count") : ""));
}

Exit shut_down(const Session& session, const std::string& grace) {
  if (!session.confirmed("stop proxyd")) return Exit::kUsage;
  const Json body = grace.empty() ? Json::object() : Json{{"grace", grace}};
  return session.show(session.call({"POST", "/api/v1/shutdown", body.dump(), "application/json", {}}), "stopping\n");
}

}  // namespace

void add_worker(CLI::App& app, Session& session, Exit& exit) {
  CLI::App* noun = app.add_subcommand("worker", "Worker processes")->require_subcommand(1);
  noun->add_subcommand("list", "All of them")->callback([&session, &exit] { exit = list(session); });
  auto slot = std::make_shared<int>(0);
  CLI::App* command = noun->add_subcommand("restart", "Drain one and start another");
  command->add_option("slot", *slot)->required();
  command->add_flag("--yes", session.yes, "Do not ask");
  command->callback([&session, &exit, slot] { exit = restart(session, *slot); });
  auto count = std::make_shared<std::string>();
  command = noun->add_subcommand("scale", "How many there are");
  command->add_option("count", *count, "A number, or auto")->required()->check(CLI::Range(1, 64) | CLI::IsMember({"auto"}));
  command->callback([&session, &exit, count] { exit = scale(session, *count); });
  app.add_subcommand("reload", "Read files again, reopen logs; as SIGHUP")->callback([&session, &exit] {
    exit = session.show(session.call({"POST", "/api/v1/reload", "", "", {}}), "reloaded\n");
  });
  auto grace = std::make_shared<std::string>();
  command = app.add_subcommand("shutdown", "Stop, letting requests finish");
  command->add_option("--grace", *grace, "How long they may take");
  command->add_flag("--yes", session.yes, "Do not ask");
  command->callback([&session, &exit, grace] { exit = shut_down(session, *grace); });
}

}  // namespace proxyd::cli
