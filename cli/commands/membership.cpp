#include <fmt/format.h>

#include <memory>

#include "cli/commands/targets.h"
#include "cli/validators.h"
#include "cli/waiting.h"
#include "shared/config/membership.h"
#include "shared/config/units.h"

namespace proxyd::cli {
namespace {

constexpr auto kMargin = std::chrono::seconds(30);   // what the server may need on top of a drain

struct Options {
  TargetName target;
  std::string address;
  std::string id;
  std::string weight;
  std::string slow_start;
  std::string lease;
  std::string drain = "30s";
  bool backup = false;
  bool no_backup = false;
  bool force = false;
  bool keep = false;
};

// The attributes that were given.
Json attributes_of(const Options& options) {
  Json body = Json::object();
  if (!options.address.empty()) body["address"] = options.address;
  if (!options.weight.empty()) body["weight"] = std::stoi(options.weight);
  if (options.backup || options.no_backup) body["backup"] = options.backup;
  if (!options.slow_start.empty()) body["slow_start"] = options.slow_start;
  if (!options.lease.empty()) body["lease"] = options.lease;
  return body;
}

// "90s" and "1m30s".
bool is_same_time(const Json& a, const Json& b) {
  const auto time = [](const Json& one) {
    return one.is_string() ? config::parse_duration(one.get<std::string>()) : std::nullopt;
  };
  return time(a) && time(a) == time(b);
}

// The first attribute in which a target that is there differs from what was asked for.
std::string difference(const Json& target, const Json& wanted) {
  for (const auto& [key, value] : wanted.items()) {
    const Json is = target.value(key, Json());
    if (is != value && !is_same_time(is, value))
      return fmt::format("its {} is {}, not {}", key, text_of(target, key.c_str()),
                         value.is_string() ? value.get<std::string>() : value.dump());
  }
  return {};
}

std::string set_command(const Options& options) {
  std::string words = fmt::format("proxyctl upstream target set {} {} --address {}", options.target.upstream,
                                  options.target.id, options.address);
  if (!options.weight.empty()) words += " --weight " + options.weight;
  if (!options.lease.empty()) words += " --lease " + options.lease;
  return words;
}

// Dynamic targets come and go without one.
std::string revision_of(const Json& change) {
  return change.value("membership", "") == "dynamic" ? "" : ", revision " + text_of(change, "revision");
}

Exit show_change(const Session& session, const Session::Outcome& outcome, const std::string& done,
                 const std::string& unchanged) {
  if (!outcome.ok()) return outcome.exit;
  const bool nothing = outcome.json.value("changes", Json::array()).empty();
  return session.show(outcome,
                      nothing ? unchanged + ", nothing was changed\n" : done + revision_of(outcome.json) + "\n");
}

Exit add(const Session& session, const Options& given) {
  Options options = given;
  options.target.id = options.id.empty() ? config::name_for_address(options.address) : options.id;
  const TargetName& target = options.target;
  const Json body = attributes_of(options);
  const auto hint = hint_of_target(session, target);
  const auto found = RestClient(session.address, session.token).call({.path = target.path()});
  if (!found || !found->ok()) {
    return show_change(session, session.change({.method = "PUT", .path = target.path(), .body = body.dump()}, hint),
                       target.words() + " is added", target.words() + " is there already");
  }
  const std::string differs = difference(found->json(), body);
  if (differs.empty())
    return show_change(session, session.change({.method = "PATCH", .path = target.path(), .body = body.dump()}, hint),
                       "", target.words() + " is there already");
  print_error(fmt::format("{} is there already, but {}", target.words(), differs),
              "change it: " + set_command(options));
  return Exit::kConflict;
}

Exit set(const Session& session, const Options& options) {
  const Json body = attributes_of(options);
  if (body.empty())
    return print_error("nothing is to be set",
                       "name what: --address, --weight, --backup, --no-backup, --slow-start, --lease"),
           Exit::kUsage;
  const Session::Outcome outcome = session.change(
      {.method = "PATCH", .path = options.target.path(), .body = body.dump()}, hint_of_target(session, options.target));
  return show_change(session, outcome, options.target.words() + " is changed",
                     options.target.words() + " is so already");
}

// What a removal did to requests that had not ended in time.
Exit told_of_cut(const Json& removal, const Options& options) {
  const int cut = removal.value("cut", 0);
  const int running = removal.value("in_flight", 0);
  if (cut == 0 && running == 0) return Exit::kOk;
  std::string what = fmt::format("{} request{} cut, {}", cut, cut == 1 ? " was" : "s were",
                                 options.force ? "as --force does" : "not ended after " + options.drain);
  if (running > 0) what += fmt::format("; {} could not be cut and may go on for a while", running);
  print_error(what, "give more time: --drain, or keep it until it is idle: --keep");
  return Exit::kPartly;
}

// Somebody else gave the removal up, or proxyd ends.
Exit told_of_cancel(const Json& removal, const Options& options) {
  const int cut = removal.value("cut", 0);
  std::string what = fmt::format("{} is not removed: the removal was cancelled", options.target.words());
  if (cut > 0) what += fmt::format("; {} request{} cut before", cut, cut == 1 ? " was" : "s were");
  print_error(what, "see how it is: proxyctl upstream show " + options.target.upstream);
  return cut > 0 ? Exit::kPartly : Exit::kConflict;
}

// What was cut for a removal that came to nothing is told all the same.
Exit told_of_failure(const Session::Outcome& outcome, const Options& options) {
  if (problem_code(outcome.reply) == "not-drained") return Exit::kTimedOut;
  const int cut = outcome.json.is_object() ? outcome.json.value("cut", 0) : 0;
  if (cut == 0) return outcome.exit;
  print_error(fmt::format("{} request{} cut before that", cut, cut == 1 ? " was" : "s were"),
              "see how it is: proxyctl upstream show " + options.target.upstream);
  return Exit::kPartly;
}

std::string hint_of_removal(const Session& session, const Options& options, const Reply& reply) {
  const std::string words = fmt::format("{} {}", options.target.upstream, options.target.id);
  const std::string code = problem_code(reply);
  if (code == "last-target")
    return fmt::format("its upstream would be empty; all the same: proxyctl upstream target remove {} --force", words);
  if (code == "not-drained") return "undo: proxyctl upstream ready " + words;
  return hint_of_target(session, options.target)(reply);
}

Exit remove(const Session& session, const Options& options) {
  if (const Exit exit = session.confirmed("remove " + options.target.words()); exit != Exit::kOk) return exit;
  const std::string query = options.force ? "?force=true" : "?drain=" + encoded(options.drain);
  const auto limit = duration_of(options.drain) + kMargin;
  RestClient::Call call{.method = "DELETE", .path = options.target.path() + query + (options.keep ? "&keep=true" : "")};
  call.timeout_seconds = static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(limit).count());
  const auto hint = [&](const Reply& reply) { return hint_of_removal(session, options, reply); };
  const Session::Outcome started = session.change(call, hint);
  if (!started.ok()) return started.exit;
  const Session::Outcome outcome = finished(session, started, limit, hint);
  if (!outcome.ok()) return told_of_failure(outcome, options);
  if (outcome.json.contains("cancelled")) return told_of_cancel(outcome.json, options);
  session.show(outcome, fmt::format("{} is removed{}\n", options.target.words(), revision_of(outcome.json)));
  return told_of_cut(outcome.json, options);
}

}   // namespace

void add_membership(CLI::App& noun, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* target = noun.add_subcommand("target", "Members of an upstream")->require_subcommand(1);
  const auto verb = [&session, &exit, options, target](const char* name, const char* text,
                                                       Exit (*run)(const Session&, const Options&)) {
    CLI::App* command = target->add_subcommand(name, text);
    command->callback([&session, &exit, options, run] { exit = run(session, *options); });
    return command;
  };
  CLI::App* command = verb("add", "Add a target; one that is there already is left as it is", add);
  command->add_option("upstream", options->target.upstream, "Name of the upstream")->required()->type_name("UPSTREAM");
  command->add_option("address", options->address, "HOST:PORT or unix:PATH")->required()->type_name("ADDRESS");
  command->add_option("--id", options->id, "Its name; else its address with other characters as -")->type_name("ID");
  const auto with_attributes = [options](CLI::App* one) {
    one->add_option("--weight", options->weight, "100 is one share")
        ->check(CLI::Range(0, 10000).description(""))
        ->type_name("N");
    one->add_flag("--backup", options->backup, "Used only when no other can be");
    one->add_option("--slow-start", options->slow_start, "Its share grows over this time")
        ->check(duration())
        ->type_name("DURATION");
    one->add_option("--lease", options->lease, "Of a dynamic upstream: it goes after this time, unless it is put again")
        ->check(duration())
        ->type_name("DURATION");
  };
  with_attributes(command);
  command = with_target(verb("remove", "Drain a target and take it out of its upstream", remove), options->target);
  CLI::Option* drain = command
                           ->add_option("--drain", options->drain,
                                        "How long the removal waits for requests; those that still run are cut: exit 9")
                           ->check(duration())
                           ->type_name("DURATION")
                           ->capture_default_str();
  CLI::Option* keep = command->add_flag("--keep", options->keep, "Keep it, draining, when they do not finish: exit 8");
  command->add_flag("--force", options->force, "At once, and the last one too; requests that still run are cut: exit 9")
      ->excludes(drain)
      ->excludes(keep);
  command->add_flag("--yes", session.yes, "Do not ask");
  command = with_target(verb("set", "Change what is given of a target", set), options->target);
  command->add_option("--address", options->address, "HOST:PORT or unix:PATH")->type_name("ADDRESS");
  with_attributes(command);
  command->add_flag("--no-backup", options->no_backup, "Used like any other")->excludes("--backup");
  add_sync(*target, session, exit);
}

}   // namespace proxyd::cli
