#include <fmt/format.h>

#include "cli/commands/commands.h"

namespace proxyd::cli {
namespace {

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

constexpr const char* kNone = "there are no hosts yet: proxyctl apply -f FILE";

// The document itself is the answer; names are "HOST/ROUTE".
Exit list_routes(const Session& session) {
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
  return session.output == "name" ? session.show(outcome, "", names) : session.show(outcome, rows, kNone);
}

Exit list_hosts(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/config");
  Table rows({{"HOST"}, {"NAMES"}, {"ROUTES", true}});
  std::vector<std::string> names;
  const Json hosts = outcome.ok() ? outcome.json.value("hosts", Json::object()) : Json::object();
  for (const auto& [name, host] : hosts.items()) {
    rows.add({name, fmt::format("{}", fmt::join(host.value("names", std::vector<std::string>()), " ")),
              std::to_string(host.value("routes", Json::array()).size())});
    names.push_back(name);
  }
  return session.output == "name" ? session.show(outcome, "", names) : session.show(outcome, rows, kNone);
}

}   // namespace

void add_host(CLI::App& app, Session& session, Exit& exit) {
  CLI::App* host = app.add_subcommand("host", "Hosts")->require_subcommand(1);
  host->add_subcommand("list", "Every host with its names")->callback([&session, &exit] {
    exit = list_hosts(session);
  });
  CLI::App* route = app.add_subcommand("route", "Routes")->require_subcommand(1);
  route->add_subcommand("list", "Every route of every host, as the document has them")->callback([&session, &exit] {
    exit = list_routes(session);
  });
}

}   // namespace proxyd::cli
