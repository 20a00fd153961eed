#include <fmt/format.h>

#include <memory>

#include "cli/commands/commands.h"
#include "cli/commands/sites.h"
#include "cli/commands/targets.h"
#include "cli/validators.h"

namespace proxyd::cli {
namespace {

constexpr const char* kHosts = "/api/v1/hosts";

struct Options {
  std::string host;
  std::string duration;
  std::string reason;
};

Table table_of(const Session& session, const Json& hosts) {
  std::vector<Table::Column> columns = {{"HOST"}, {"NAMES"}, {"ROUTES", true}, {"STATE", false, true}};
  if (session.wide()) columns.push_back({"WHY"});
  Table rows(std::move(columns));
  for (const Json& host : hosts) {
    std::vector<std::string> cells = {
        text_of(host, "name"), fmt::format("{}", fmt::join(host.value("names", std::vector<std::string>()), " ")),
        text_of(host, "routes"), text_of(host, "state")};
    if (session.wide()) cells.push_back(reasons_of(host));
    rows.add(std::move(cells));
  }
  return rows;
}

Exit list(const Session& session) {
  const Session::Outcome outcome = session.get(kHosts);
  return session.show(outcome, table_of(session, outcome.items()), kNoHosts);
}

Session::Outcome post(const Session& session, const Options& options, const std::string& verb) {
  Json body = Json::object();
  if (!options.duration.empty()) body["for"] = options.duration;
  if (!options.reason.empty()) body["reason"] = options.reason;
  return session.call(
      {.method = "POST", .path = fmt::format("{}/{}:{}", kHosts, encoded(options.host), verb), .body = body.dump()},
      hint_of_host(session, options.host));
}

// The table, and under it why the host is not simply serving.
Exit show(const Session& session, const Session::Outcome& outcome) {
  const Json hosts = outcome.ok() ? Json::array({outcome.json}) : Json::array();
  const std::string reasons = outcome.ok() ? reasons_of(outcome.json) : "";
  std::string text = table_of(session, hosts).text(session.colour_on(), session.wide() ? 0 : session.width);
  if (!reasons.empty() && !session.wide()) text += fmt::format("{}: {}\n", text_of(outcome.json, "name"), reasons);
  return session.show(outcome, text);
}

Exit maintenance(const Session& session, const Options& options) {
  const Session::Outcome outcome = post(session, options, "maintenance");
  const Exit exit = show(session, outcome);
  if (outcome.ok()) say(fmt::format("override, not in the document; undo: proxyctl host ready {}", options.host));
  return exit;
}

// It lifts what was said about the host; what the document says stays.
Exit ready(const Session& session, const Options& options) {
  const Session::Outcome outcome = post(session, options, "ready");
  const Exit exit = show(session, outcome);
  if (!outcome.ok() || text_of(outcome.json, "state") == "serving") return exit;
  print_error(fmt::format("host '{}' is in maintenance all the same: the document says so", options.host),
              "take its 'maintenance' out of the document: proxyctl config edit");
  return Exit::kNegative;
}

}   // namespace

void add_host(CLI::App& app, Session& session, Exit& exit) {
  CLI::App* noun = app.add_subcommand("host", "Hosts")->require_subcommand(1);
  noun->add_subcommand("list", "Every host with its names, and whether it serves")->callback([&session, &exit] {
    exit = list(session);
  });
  auto options = std::make_shared<Options>();
  const auto verb = [&session, &exit, options, noun](const char* name, const char* text,
                                                     Exit (*run)(const Session&, const Options&)) {
    CLI::App* command = noun->add_subcommand(name, text);
    command->add_option("host", options->host, "Name of the host in the document")->required()->type_name("HOST");
    command->add_option("--reason", options->reason, "Why, for who looks at it")->type_name("TEXT");
    command->callback([&session, &exit, options, run] { exit = run(session, *options); });
    return command;
  };
  verb("maintenance", "Its requests get 503 and its page for that, for now", maintenance)
      ->add_option("--for", options->duration, "Goes back by itself after this time")
      ->check(duration())
      ->type_name("DURATION");
  verb("ready", "Back in service", ready);
}

}   // namespace proxyd::cli
