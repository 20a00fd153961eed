#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <thread>

#include "cli/commands/commands.h"
#include "cli/validators.h"
#include "cli/waiting.h"

namespace proxyd::cli {
namespace {

constexpr const char* kWorkers = "/api/v1/workers";
constexpr auto kEnding = std::chrono::seconds(10);   // a stop on top of its grace

struct Options {
  std::string slot;
  std::string count;
  std::string timeout = "60s";
  std::string grace;
  bool wait = true;
};

std::string kibibytes(const Json& worker) {
  return fmt::format("{} KiB", worker.value("memory_bytes", uint64_t{0}) / 1024);
}

Table table_of(const Session& session, const Json& workers) {
  std::vector<Table::Column> columns = {{"SLOT", true},     {"PID", true},         {"STATE", false, true},
                                        {"REVISION", true}, {"CONNECTIONS", true}, {"IN FLIGHT", true},
                                        {"MEMORY", true},   {"RESTARTS", true},    {"LAST EXIT"}};
  if (session.wide()) columns.insert(columns.begin() + 8, {{"GENERATION", true}, {"LOOP LAG", true}});
  Table rows(std::move(columns));
  for (const Json& one : workers) {
    std::vector<std::string> cells = {text_of(one, "slot"),     text_of(one, "pid"),         text_of(one, "state"),
                                      text_of(one, "revision"), text_of(one, "connections"), text_of(one, "in_flight"),
                                      kibibytes(one),           text_of(one, "restarts")};
    if (session.wide()) cells.insert(cells.end(), {text_of(one, "generation"), text_of(one, "loop_lag")});
    cells.push_back(text_of(one, "last_exit"));
    rows.add(std::move(cells));
  }
  return rows;
}

Exit list(const Session& session) {
  const Session::Outcome outcome = session.get(kWorkers);
  return session.show(outcome, table_of(session, outcome.items()), "there are no workers");
}

// The pids of those that are running.
std::set<std::string> running_in(const Json& workers) {
  std::set<std::string> pids;
  for (const Json& one : workers.value("items", Json::array())) {
    if (one.value("state", "") == "running") pids.insert(text_of(one, "pid"));
  }
  return pids;
}

std::string pid_in(const Json& workers, const std::string& slot) {
  for (const Json& one : workers.value("items", Json::array())) {
    if (text_of(one, "slot") == slot) return text_of(one, "pid");
  }
  return "-";
}

// The other one may serve in another slot: the old one still has its own.
Exit restart(const Session& session, const Options& options) {
  if (const Exit exit = session.confirmed("restart worker " + options.slot); exit != Exit::kOk) return exit;
  const Session::Outcome before = session.get(kWorkers);
  if (!before.ok()) return before.exit;
  const std::set<std::string> known = running_in(before.json);
  const std::string old = pid_in(before.json, options.slot);
  const Session::Outcome outcome =
      session.call({.method = "POST", .path = fmt::format("{}/{}:restart", kWorkers, encoded(options.slot))},
                   [](const Reply& reply) {
                     return std::string(reply.status == 404 ? "proxyctl worker list shows the slots" : "");
                   });
  if (!outcome.ok()) return outcome.exit;
  if (!options.wait) return session.show(outcome, fmt::format("worker {} drains, another starts\n", options.slot));
  std::string replacement;
  const Looked looked = look_until(session, kWorkers, duration_of(options.timeout), [&](const Json& workers) {
    const std::set<std::string> running = running_in(workers);
    const auto found =
        std::find_if(running.begin(), running.end(), [&known](const std::string& pid) { return !known.contains(pid); });
    if (found != running.end()) replacement = *found;
    return !replacement.empty() && !running.contains(old);
  });
  if (!looked.outcome.ok()) return looked.outcome.exit;
  if (looked.held)
    return session.show(outcome,
                        fmt::format("worker {} (pid {}) is replaced by pid {}\n", options.slot, old, replacement));
  print_error(fmt::format("no other worker serves for pid {} after {}", old, options.timeout),
              "look again: proxyctl worker list");
  return Exit::kTimedOut;
}

Exit scale(const Session& session, const Options& options) {
  const Json body{{"count", options.count == "auto" ? Json(nullptr) : Json(std::stoi(options.count))}};
  const Session::Outcome outcome = session.call({.method = "PATCH", .path = kWorkers, .body = body.dump()});
  if (!outcome.ok()) return outcome.exit;
  const size_t wanted = outcome.json.value("count", size_t{0});
  const auto limit = options.wait ? duration_of(options.timeout) : std::chrono::milliseconds(0);
  const Looked looked = look_until(session, kWorkers, limit, [wanted](const Json& workers) {
    const Json items = workers.value("items", Json::array());
    return items.size() == wanted &&
           std::all_of(items.begin(), items.end(), [](const Json& one) { return one.value("state", "") == "running"; });
  });
  if (!looked.outcome.ok()) return looked.outcome.exit;
  session.show(outcome, fmt::format("{} worker{}{}\n", wanted, wanted == 1 ? "" : "s", looked.held ? "" : " wanted"));
  if (options.count != "auto") say("override, not in the bootstrap file; undo: proxyctl worker scale auto");
  if (looked.held || !options.wait) return Exit::kOk;
  print_error(fmt::format("after {} they are not all as wanted", options.timeout), "look again: proxyctl worker list");
  return Exit::kTimedOut;
}

// Waits for nobody to answer any more: the server stops, and that is what was asked for.
bool is_gone(const Session& session, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < end) {
    const auto reply = RestClient(session.address, session.token).call({.path = "/livez", .timeout_seconds = 2});
    if (!reply && reply.error().exit == Exit::kUnreachable) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

Exit shut_down(const Session& session, const Options& options) {
  if (const Exit exit = session.confirmed("stop proxyd: nothing is served any more"); exit != Exit::kOk) return exit;
  const Json body = options.grace.empty() ? Json::object() : Json{{"grace", options.grace}};
  const Session::Outcome outcome = session.call({.method = "POST", .path = "/api/v1/shutdown", .body = body.dump()});
  if (!outcome.ok()) return outcome.exit;
  const std::string grace = text_of(outcome.json, "grace");
  if (!options.wait) return session.show(outcome, fmt::format("stopping, requests may take {} to finish\n", grace));
  if (is_gone(session, duration_of(grace) + kEnding)) return session.show(outcome, "stopped\n");
  print_error(fmt::format("it still answers after {}", grace), "look into its log");
  return Exit::kTimedOut;
}

Exit reload(const Session& session) {
  return session.show(session.call({.method = "POST", .path = "/api/v1/reload"}), "reloaded\n");
}

}   // namespace

void add_worker(CLI::App& app, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  const auto run = [&session, &exit, options](Exit (*command)(const Session&, const Options&)) {
    return [&session, &exit, options, command] { exit = command(session, *options); };
  };
  const auto with_wait = [options](CLI::App* command, const char* until) {
    command->add_flag("--wait,!--no-wait", options->wait, until);
  };
  const auto with_timeout = [options](CLI::App* command) {
    command->add_option("--timeout", options->timeout, "How long to wait")
        ->check(duration())
        ->type_name("DURATION")
        ->capture_default_str();
  };
  CLI::App* noun = app.add_subcommand("worker", "Worker processes")->require_subcommand(1);
  noun->add_subcommand("list", "All of them")->callback([&session, &exit] { exit = list(session); });
  CLI::App* command = noun->add_subcommand("restart", "Drain one and start another in its slot");
  command->add_option("slot", options->slot, "Its slot")
      ->required()
      ->check(CLI::Range(0, 63).description(""))
      ->type_name("SLOT");
  with_timeout(command);
  with_wait(command, "Until the other one serves (the default)");
  command->add_flag("--yes", session.yes, "Do not ask");
  command->callback(run(restart));
  command = noun->add_subcommand("scale", "How many there are");
  command->add_option("count", options->count, "A number, or auto: the bootstrap's")
      ->required()
      ->check((CLI::Range(1, 64) | CLI::IsMember({"auto"})).description(""))
      ->type_name("N|auto");
  with_timeout(command);
  with_wait(command, "Until they all serve (the default)");
  command->callback(run(scale));
  command = app.add_subcommand("reload", "Read certificate, user and secret files again and reopen logs; as SIGHUP");
  command->add_flag("--wait", options->wait, "Until it is done, as it always does");
  command->callback([&session, &exit] { exit = reload(session); });
  command = app.add_subcommand("shutdown", "Stop proxyd, letting requests finish");
  command->add_option("--grace", options->grace, "How long they may take; else as the bootstrap says")
      ->check(duration())
      ->type_name("DURATION");
  with_wait(command, "Until it has stopped (the default)");
  command->add_flag("--yes", session.yes, "Do not ask");
  command->callback(run(shut_down));
}

}   // namespace proxyd::cli
