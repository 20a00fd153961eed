#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

#include "cli/commands/commands.h"

namespace proxyd::cli {
namespace {

std::string render(const Json& json) {
  const Json revision = json.value("revision", Json());
  std::string out = fmt::format("{}{}  up {}\n", json.value("ready", false) ? "ready" : "not ready", json.value("degraded", false) ? ", degraded" : "", text_of(json, "uptime"));
  if (revision.is_object()) out += fmt::format("revision {} by {} at {}\n", text_of(revision, "revision"), text_of(revision, "author"), text_of(revision, "created"));
  out += fmt::format("{} workers, {} connections, {} requests in flight\n", json.value("workers", Json::array()).size(), text_of(json, "connections"), text_of(json, "in_flight"));
  for (const Json& one : json.value("attention", Json::array())) out += fmt::format("{}: {}\n  {}\n", text_of(one, "severity"), text_of(one, "message"), text_of(one, "command"));
  return out;
}

Exit status(const Session& session, bool watch) {
  for (;;) {
    const Session::Outcome outcome = session.get("/api/v1/status");
    const Json json = outcome.ok() ? outcome.reply.json() : Json::object();
    const Exit shown = session.show(outcome, render(json));
    if (!watch || shown != Exit::kOk) {
      const bool attention = !json.value("attention", Json::array()).empty();
      return shown == Exit::kOk && (attention || !json.value("ready", false)) ? Exit::kNegative : shown;
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
    std::cout << "\n";
  }
}

}  // namespace

void add_status(CLI::App& app, Session& session, Exit& exit) {
  CLI::App* command = app.add_subcommand("status", "The overview; exit 1 when something needs attention");
  auto watch = std::make_shared<bool>(false);
  command->add_flag("-w,--watch", *watch, "Again each second");
  command->callback([&session, &exit, watch] { exit = status(session, *watch); });
}

}  // namespace proxyd::cli
