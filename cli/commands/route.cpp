#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "cli/commands/commands.h"
#include "cli/commands/sites.h"
#include "cli/commands/targets.h"
#include "cli/validators.h"

namespace proxyd::cli {
namespace {

struct Options {
  std::string host;
  std::string route;
  std::vector<std::string> shares;   // name=share
  bool undo = false;
  std::string duration;
  std::string reason;
};

std::string action_of(const Json& route) {
  if (route.contains("upstream")) return "→ " + text_of(route, "upstream");
  if (route.contains("split")) return "→ split";
  if (route.contains("redirect")) return "redirect " + text_of(route["redirect"], "to");
  if (route.contains("respond")) return "respond " + text_of(route["respond"], "status");
  return "ready";
}

std::string path_of(const Json& route) {
  const Json match = route.value("match", Json::object());
  if (match.contains("path")) return "= " + text_of(match, "path");
  if (match.contains("path_regex")) return "~ " + text_of(match, "path_regex");
  return match.contains("path_prefix") ? text_of(match, "path_prefix") : "/";
}

// The document itself is the answer; names are "HOST/ROUTE".
Exit list(const Session& session, const Options&) {
  const Session::Outcome outcome = session.get("/api/v1/config");
  Table rows({{"HOST"}, {"ROUTE"}, {"PATH"}, {"ACTION"}});
  std::vector<std::string> names;
  const Json hosts = outcome.ok() ? outcome.json.value("hosts", Json::object()) : Json::object();
  for (const auto& [name, host] : hosts.items()) {
    for (const Json& route : host.value("routes", Json::array())) {
      rows.add({name, text_of(route, "name"), path_of(route), action_of(route)});
      names.push_back(name + "/" + text_of(route, "name"));
    }
  }
  return session.output == "name" ? session.show(outcome, "", names) : session.show(outcome, rows, kNoHosts);
}

// UPSTREAM, what the document says, and what holds.
std::string shares_text(const Session& session, const Json& split) {
  Table rows({{"UPSTREAM"}, {"DECLARED", true}, {"SHARE", true}});
  const Json declared = split.value("declared", Json::object());
  const Json shares = split.value("shares", Json::object());
  for (const auto& [name, share] : shares.items()) rows.add({name, text_of(declared, name.c_str()), share.dump()});
  std::string text = rows.text(session.colour_on(), session.wide() ? 0 : session.width);
  const std::string reasons = reasons_of(split);
  return reasons.empty() ? text : text + reasons + "\n";
}

Exit show(const Session& session, const Options& options) {
  const Session::Outcome outcome =
      session.get(fmt::format("/api/v1/config/hosts/{}/routes/{}", encoded(options.host), encoded(options.route)),
                  hint_of_host(session, options.host));
  if (!outcome.ok() || !session.for_people()) return session.show(outcome, "", {options.host + "/" + options.route});
  std::string text = fmt::format("route {} of {}: {} {}\n", options.route, options.host, path_of(outcome.json),
                                 action_of(outcome.json));
  if (!outcome.json.contains("split")) return session.show(outcome, text);
  const Session::Outcome host = session.get("/api/v1/hosts/" + encoded(options.host));
  if (!host.ok()) return host.exit;
  for (const Json& split : host.json.value("splits", Json::array())) {
    if (text_of(split, "name") == options.route)
      text += fmt::format("split by {}\n", text_of(split, "by")) + shares_text(session, split);
  }
  return session.show(outcome, text);
}

// {"api": 90} of "api=90"; nothing where one is not that.
std::optional<Json> weights_of(const std::vector<std::string>& shares) {
  Json weights = Json::object();
  for (const std::string& one : shares) {
    const size_t equals = one.find('=');
    uint32_t share = 0;
    const char* end = one.data() + one.size();
    const bool is_number = equals != std::string::npos &&
                           std::from_chars(one.data() + equals + 1, end, share).ptr == end && equals + 1 < one.size();
    if (!is_number) {
      print_error(fmt::format("'{}' is no share", one), "write UPSTREAM=NUMBER, as api=95 api-next=5");
      return std::nullopt;
    }
    weights[one.substr(0, equals)] = share;
  }
  return weights;
}

Exit split(const Session& session, const Options& options) {
  if (options.undo == !options.shares.empty()) {
    print_error("say either shares or --undo", "proxyctl route split HOST ROUTE UPSTREAM=SHARE…");
    return Exit::kUsage;
  }
  const auto weights = weights_of(options.shares);
  if (!weights) return Exit::kUsage;
  Json body{{"weights", options.undo ? Json(nullptr) : *weights}};
  if (!options.duration.empty()) body["for"] = options.duration;
  if (!options.reason.empty()) body["reason"] = options.reason;
  const std::string path =
      fmt::format("/api/v1/hosts/{}/routes/{}:split", encoded(options.host), encoded(options.route));
  const Session::Outcome outcome =
      session.call({.method = "POST", .path = path, .body = body.dump()}, hint_of_host(session, options.host));
  if (!outcome.ok()) return outcome.exit;
  const Exit exit = session.show(outcome, shares_text(session, outcome.json), {options.host + "/" + options.route});
  if (!options.undo)
    say(fmt::format("override, not in the document; undo: proxyctl route split {} {} --undo", options.host,
                    options.route));
  return exit;
}

}   // namespace

void add_route(CLI::App& app, Session& session, Exit& exit) {
  CLI::App* noun = app.add_subcommand("route", "Routes")->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto verb = [&session, &exit, options, noun](const char* name, const char* text,
                                                     Exit (*run)(const Session&, const Options&)) {
    CLI::App* command = noun->add_subcommand(name, text);
    command->callback([&session, &exit, options, run] { exit = run(session, *options); });
    return command;
  };
  const auto with_route = [options](CLI::App* command) {
    command->add_option("host", options->host, "Name of the host in the document")->required()->type_name("HOST");
    command->add_option("route", options->route, "Name of the route")->required()->type_name("ROUTE");
    return command;
  };
  verb("list", "Every route of every host, as the document has them", list);
  with_route(verb("show", "One route, and the shares of its split", show));
  CLI::App* command = with_route(verb("split", "Other shares of a split, for now", split));
  command->add_option("shares", options->shares, "What is not named keeps the document's")->type_name("UPSTREAM=SHARE");
  command->add_flag("--undo", options->undo, "Back to the document's");
  command->add_option("--for", options->duration, "Goes back by itself after this time")
      ->check(duration())
      ->type_name("DURATION");
  command->add_option("--reason", options->reason, "Why, for who looks at it")->type_name("TEXT");
}

}   // namespace proxyd::cli
