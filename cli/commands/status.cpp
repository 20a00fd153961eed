#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>

#include "cli/commands/commands.h"

namespace proxyd::cli {
namespace {

std::string readiness(const Session& session, const Json& json) {
  const bool ready = json.value("ready", false);
  const bool degraded = json.value("degraded", false);
  const std::string why = text_of(json, "why");
  const std::string word = session.painted(!ready     ? "not ready"
                                           : degraded ? "degraded"
                                                      : "ready",
                                           !ready     ? Colour::kRed
                                           : degraded ? Colour::kYellow
                                                      : Colour::kGreen);
  return fmt::format("proxyd {} is {}{}, up {}\n", text_of(json, "version"), word,
                     why.empty() || why == "-" || (ready && !degraded) ? "" : ": " + why, text_of(json, "uptime"));
}

std::string counted(const Json& json, const char* key, const char* one, const char* many) {
  const std::string count = text_of(json, key);
  return fmt::format("{} {}", count, count == "1" ? one : many);
}

std::string render(const Session& session, const Json& json) {
  std::string out = readiness(session, json);
  const Json revision = json.value("revision", Json());
  if (revision.is_object()) {
    const std::string message = text_of(revision, "message");
    out += fmt::format("revision {} by {} at {}{}\n", text_of(revision, "revision"), text_of(revision, "author"),
                       text_of(revision, "created"), message.empty() || message == "-" ? "" : ": " + message);
    out += fmt::format("{}, {}\n", counted(json, "hosts", "host", "hosts"),
                       counted(json, "upstreams", "upstream", "upstreams"));
  }
  const Json workers = json.value("workers", Json::array());
  size_t running = 0;
  for (const Json& worker : workers) running += worker.value("state", "") == "running" ? 1 : 0;
  out += fmt::format("{} of {} worker{} running, {}, {} in flight\n", running, workers.size(),
                     workers.size() == 1 ? "" : "s", counted(json, "connections", "connection", "connections"),
                     counted(json, "in_flight", "request", "requests"));
  for (const Json& one : json.value("attention", Json::array())) {
    const std::string severity = text_of(one, "severity");
    out += fmt::format("{} {}\n  {}\n",
                       session.painted(severity + ":", severity == "error" ? Colour::kRed : Colour::kYellow),
                       text_of(one, "message"), text_of(one, "command"));
  }
  return out;
}

Exit status(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/status");
  if (!outcome.ok()) return outcome.exit;
  const Json attention = outcome.json.value("attention", Json::array());
  std::vector<std::string> codes;
  for (const Json& one : attention) codes.push_back(text_of(one, "code"));
  session.show(outcome, render(session, outcome.json), codes);
  return attention.empty() && outcome.json.value("ready", false) ? Exit::kOk : Exit::kNegative;
}

// On a terminal over itself, elsewhere one after the other. A server that is away is waited for on a terminal only.
Exit watch(const Session& session) {
  for (bool first = true;; first = false) {
    if (session.width > 0 && session.for_people()) {
      print("\x1b[H\x1b[2J");
    } else if (!first && session.for_people()) {
      print("\n");
    }
    const Exit exit = status(session);
    if (exit != Exit::kOk && exit != Exit::kNegative && (session.width == 0 || exit != Exit::kUnreachable)) return exit;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}   // namespace

void add_status(CLI::App& app, Session& session, Exit& exit) {
  CLI::App* command = app.add_subcommand("status", "The overview; exit 1 when something needs attention");
  auto again = std::make_shared<bool>(false);
  command->add_flag("-w,--watch", *again, "Again each second, until interrupted");
  command->callback([&session, &exit, again] { exit = *again ? watch(session) : status(session); });
}

}   // namespace proxyd::cli
