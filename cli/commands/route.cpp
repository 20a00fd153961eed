#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "cli/commands/commands.h"

namespace proxyd::cli {
namespace {

struct Question {
  std::string url;
  std::string method = "GET";
  std::string client = "127.0.0.1";
  std::vector<std::string> headers;
};

std::string action_of(const Json& route) {
  if (route.contains("upstream")) return "→ " + text_of(route, "upstream");
  if (route.contains("split")) return "→ split";
  if (route.contains("redirect")) return "redirect " + text_of(route["redirect"], "to");
  if (route.contains("respond")) return "respond";
  return "ready";
}

std::string path_of(const Json& route) {
  const Json match = route.value("match", Json::object());
  if (match.contains("path")) return "= " + text_of(match, "path");
  if (match.contains("path_regex")) return "~ " + text_of(match, "path_regex");
  return match.contains("path_prefix") ? text_of(match, "path_prefix") : "/";
}

Exit list_routes(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/config");
  std::vector<std::vector<std::string>> rows = {{"HOST", "ROUTE", "PATH", "ACTION"}};
  const Json hosts = outcome.ok() ? outcome.reply.json().value("hosts", Json::object()) : Json::object();
  for (const auto& [name, host] : hosts.items()) {
    for (const Json& route : host.value("routes", Json::array())) rows.push_back({name, text_of(route, "name"), path_of(route), action_of(route)});
  }
  return session.show(outcome, table(rows));
}

Exit list_hosts(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/config");
  std::vector<std::vector<std::string>> rows = {{"HOST", "NAMES", "ROUTES"}};
  const Json hosts = outcome.ok() ? outcome.reply.json().value("hosts", Json::object()) : Json::object();
  for (const auto& [name, host] : hosts.items()) {
    rows.push_back({name, fmt::format("{}", fmt::join(host.value("names", std::vector<std::string>()), " ")), std::to_string(host.value("routes", Json::array()).size())});
  }
  return session.show(outcome, table(rows));
}

std::string render(const Json& answer) {
  std::string out = fmt::format("listener  {}\nhost      {}\npath      {}\n", text_of(answer, "listener"), text_of(answer, "host"), text_of(answer, "path"));
  for (const Json& one : answer.value("candidates", Json::array())) {
    out += fmt::format("{} {}  ({}){}\n", one.value("matched", false) ? "  ✓" : "  ✗", text_of(one, "route"), text_of(one, "rank"), one.contains("why_not") ? ": " + text_of(one, "why_not") : "");
  }
  if (answer.contains("result")) out += text_of(answer, "result") + "\n";
  out += fmt::format("route     {}\n", text_of(answer, "route"));
  const Json action = answer.value("action", Json::object());
  if (action.contains("path")) out += fmt::format("rewritten {}\n", text_of(action, "path"));
  for (const char* key : {"redirect", "respond"}) {
    if (action.contains(key)) out += fmt::format("{}  {}\n", key, action[key].dump());
  }
  if (!action.contains("forward")) return out;
  out += fmt::format("upstream  {} ({})\n", text_of(action["forward"], "upstream"), text_of(action["forward"], "balance"));
  for (const Json& target : action["forward"].value("targets", Json::array())) {
    out += fmt::format("  {} {}, weight {}, {} in flight{}\n", text_of(target, "id"), text_of(target, "state"), text_of(target, "weight"), text_of(target, "in_flight"), target.value("eligible", false) ? "" : ", not eligible");
  }
  return out;
}

Exit explain(const Session& session, const Question& question) {
  Json headers = Json::object();
  for (const std::string& header : question.headers) {
    const size_t colon = header.find(':');
    if (colon == std::string::npos) return print_error("-H '" + header + "' is no \"Name: value\""), Exit::kUsage;
    headers[header.substr(0, colon)] = header.substr(std::min(header.find_first_not_of(' ', colon + 1), header.size()));
  }
  const Json body{{"method", question.method}, {"url", question.url}, {"headers", headers}, {"client", question.client}};
  const Session::Outcome outcome = session.call({"POST", "/api/v1/explain", body.dump(), "application/json", {}});
  return session.show(outcome, outcome.ok() ? render(outcome.reply.json()) : "");
}

}  // namespace

void add_route(CLI::App& app, Session& session, Exit& exit) {
  CLI::App* route = app.add_subcommand("route", "Routes")->require_subcommand(1);
  route->add_subcommand("list", "Every route, in file order")->callback([&session, &exit] { exit = list_routes(session); });
  CLI::App* host = app.add_subcommand("host", "Hosts")->require_subcommand(1);
  host->add_subcommand("list", "Every host")->callback([&session, &exit] { exit = list_hosts(session); });
  auto question = std::make_shared<Question>();
  CLI::App* command = app.add_subcommand("explain", "What would happen to a request");
  command->add_option("url", question->url, "http://HOST/PATH")->required();
  command->add_option("-X,--method", question->method);
  command->add_option("-H,--header", question->headers, "\"Name: value\"");
  command->add_option("--client", question->client, "Address of the client");
  command->callback([&session, &exit, question] { exit = explain(session, *question); });
}

}  // namespace proxyd::cli
