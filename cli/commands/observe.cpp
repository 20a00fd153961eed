#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <set>
#include <thread>

#include "cli/commands/commands.h"

namespace proxyd::cli {
namespace {

Exit metrics(const Session& session) {
  const Session::Outcome outcome = session.get("/metrics");
  if (outcome.ok()) std::cout << outcome.reply.body;
  return outcome.exit;
}

Exit events(const Session& session, bool follow) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
  const auto ended = session.client().events("/api/v1/events", [&](const std::string& kind, const std::string& data) {
    std::cout << kind << " " << data << std::endl;
    return follow || std::chrono::steady_clock::now() < deadline;
  });
  if (ended) return Exit::kOk;
  print_error(ended.error().message);
  return Exit::kUnreachable;
}

std::string one_line(const Json& reject) {
  return fmt::format("{}  {}  {}  {}  at octet {}\n", text_of(reject, "time"), text_of(reject, "from"), text_of(reject, "peer"), text_of(reject, "reason"), text_of(reject, "offset"));
}

Exit rejects(const Session& session, bool follow) {
  std::set<std::string> seen;
  for (;;) {
    const Session::Outcome outcome = session.get("/api/v1/rejects");
    if (!outcome.ok()) return outcome.exit;
    const Json items = outcome.reply.json().value("items", Json::array());
    std::string out;
    for (auto item = items.rbegin(); item != items.rend(); ++item) {
      if (seen.insert(item->dump()).second) out += one_line(*item);
    }
    if (!follow) return session.show(outcome, out);
    std::cout << out << std::flush;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

Exit level(const Session& session, const std::string& name) {
  const Session::Outcome outcome = session.call({"PATCH", "/api/v1/logs/level", Json{{"level", name}}.dump(), "application/json", {}});
  return session.show(outcome, "the error log's level is " + name + "\n");
}

}  // namespace

void add_observe(CLI::App& app, Session& session, Exit& exit) {
  app.add_subcommand("metrics", "Prometheus text")->callback([&session, &exit] { exit = metrics(session); });
  auto follow = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("events", "What happens, as it happens");
  command->add_flag("-f,--follow", *follow, "Until interrupted");
  command->callback([&session, &exit, follow] { exit = events(session, *follow); });
  CLI::App* logs = app.add_subcommand("logs", "Logs")->require_subcommand(1);
  command = logs->add_subcommand("rejects", "Messages that were refused");
  command->add_flag("-f,--follow", *follow, "Until interrupted");
  command->callback([&session, &exit, follow] { exit = rejects(session, *follow); });
  auto name = std::make_shared<std::string>();
  command = logs->add_subcommand("level", "Level of the error log");
  command->add_option("level", *name)->required()->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  command->callback([&session, &exit, name] { exit = level(session, *name); });
}

}  // namespace proxyd::cli
