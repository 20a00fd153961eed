#include <fmt/format.h>

#include <memory>
#include <utility>

#include "cli/commands/targets.h"
#include "cli/validators.h"
#include "cli/waiting.h"

namespace proxyd::cli {
namespace {

struct Options {
  TargetName target;
  std::string weight;
  std::string timeout = "60s";
  std::string duration;
  std::string reason;
  bool wait = true;
};

Exit show_target(const Session& session, const Options& options, const Session::Outcome& outcome) {
  Table rows({{"UPSTREAM"},
              {"TARGET"},
              {"ADDRESS"},
              {"STATE", false, true},
              {"WEIGHT", true},
              {"IN FLIGHT", true},
              {"CONNECTIONS", true}});
  rows.add(target_cells(options.target.upstream, outcome.json));
  return session.show(outcome, rows, "");
}

Session::Outcome post(const Session& session, const Options& options, const std::string& verb, Json body) {
  if (!options.duration.empty()) body["for"] = options.duration;
  if (!options.reason.empty()) body["reason"] = options.reason;
  return session.call({.method = "POST", .path = options.target.path() + ":" + verb, .body = body.dump()},
                      hint_of_target(session, options.target));
}

void say_undo(const Options& options, const std::string& undo) {
  say(fmt::format("override, not in the document; undo: proxyctl upstream {} {} {}{}", undo.substr(0, undo.find(' ')),
                  options.target.upstream, options.target.id,
                  undo.find(' ') == std::string::npos ? "" : undo.substr(undo.find(' '))));
}

// Puts the override, and waits until `there` holds of the target.
Exit converge(const Session& session, const Options& options, const std::string& verb, const std::string& undo,
              bool (*there)(const Json&)) {
  const Session::Outcome done = post(session, options, verb, Json::object());
  if (!done.ok()) return done.exit;
  const Looked looked = look_until(session, options.target.path(),
                                   options.wait ? duration_of(options.timeout) : std::chrono::milliseconds(0), there);
  if (!looked.outcome.ok()) return looked.outcome.exit;
  show_target(session, options, looked.outcome);
  if (!undo.empty()) say_undo(options, undo);
  if (looked.held || !options.wait) return Exit::kOk;
  const Json& target = looked.outcome.json;
  const std::string left = verb == "ready"
                               ? fmt::format("it is {}{}", text_of(target, "state"),
                                             target.contains("reason") ? ": " + text_of(target, "reason") : "")
                               : in_flight_of(target);
  print_error(fmt::format("after {}: {}", options.timeout, left),
              verb == "ready" ? "proxyctl upstream show " + options.target.upstream
                              : "it goes on; look again: proxyctl upstream show " + options.target.upstream);
  return Exit::kTimedOut;
}

bool is_idle(const Json& target) { return target.value("in_flight", 0) == 0; }
bool is_up(const Json& target) {
  const std::string state = target.value("state", "");
  return state == "up" || state == "degraded";
}

Exit drain(const Session& session, const Options& options) {
  return converge(session, options, "drain", "ready", is_idle);
}
Exit maintenance(const Session& session, const Options& options) {
  return converge(session, options, "maintenance", "ready", is_idle);
}
// It lifts what was said about the target, so there is nothing that could go back by itself.
Exit ready(const Session& session, const Options& given) {
  Options options = given;
  if (!std::exchange(options.duration, "").empty())
    say("a target that is ready stays ready: --for has no effect on it");
  return converge(session, options, "ready", "", is_up);
}

Exit weight(const Session& session, const Options& options) {
  const bool percent = options.weight.ends_with('%');
  const Session::Outcome outcome =
      post(session, options, "weight",
           percent ? Json{{"weight", options.weight}} : Json{{"weight", std::stoi(options.weight)}});
  if (!outcome.ok()) return outcome.exit;
  const Exit exit = show_target(session, options, outcome);
  say_undo(options, "weight 100%");
  return exit;
}

}   // namespace

void add_overrides(CLI::App& noun, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  const auto verb = [&session, &exit, options, &noun](const char* name, const char* text,
                                                      Exit (*run)(const Session&, const Options&)) {
    CLI::App* command = with_target(noun.add_subcommand(name, text), options->target);
    command->callback([&session, &exit, options, run] { exit = run(session, *options); });
    return command;
  };
  const auto with_reason = [options](CLI::App* command) {
    command->add_option("--for", options->duration, "Goes back by itself after this time")
        ->check(duration())
        ->type_name("DURATION");
    command->add_option("--reason", options->reason, "Why, for who looks at it")->type_name("TEXT");
    return command;
  };
  const auto with_wait = [options](CLI::App* command, const char* until) {
    command->add_option("--timeout", options->timeout, "How long to wait")
        ->check(duration())
        ->type_name("DURATION")
        ->capture_default_str();
    command->add_flag("--wait,!--no-wait", options->wait, until);
  };
  with_wait(with_reason(
                verb("drain", "No new requests for a target; exit 8 when some are still in flight in the end", drain)),
            "Until nothing is in flight (the default)");
  with_wait(with_reason(verb("maintenance", "Take a target out of service", maintenance)),
            "Until nothing is in flight (the default)");
  with_wait(with_reason(verb("ready", "Put a target back in service", ready)), "Until it is up (the default)");
  CLI::App* command = with_reason(verb("weight", "Another weight for a target, for now", weight));
  command->add_option("weight", options->weight, "N, or N% of the document's")
      ->required()
      ->check(weight_or_percentage())
      ->type_name("N|N%");
}

}   // namespace proxyd::cli
