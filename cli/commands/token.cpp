#include <fmt/format.h>

#include <memory>

#include "cli/commands/commands.h"
#include "cli/validators.h"

namespace proxyd::cli {
namespace {

struct Options {
  std::string name;
  std::string id;
  std::string expires = "90d";
  std::string before;
  std::vector<std::string> scopes;
};

Exit list(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/tokens");
  std::vector<Table::Column> columns = {{"ID"}, {"NAME"}, {"EXPIRES"}, {"SCOPES"}};
  if (session.wide()) columns.insert(columns.begin() + 2, {"CREATED"});
  Table rows(std::move(columns));
  for (const Json& one : outcome.items()) {
    std::vector<std::string> cells = {
        text_of(one, "id"), text_of(one, "name"), text_of(one, "expires"),
        fmt::format("{}", fmt::join(one.value("scopes", std::vector<std::string>()), " "))};
    if (session.wide()) cells.insert(cells.begin() + 2, text_of(one, "created"));
    rows.add(std::move(cells));
  }
  std::vector<std::string> ids;
  for (const Json& one : outcome.items()) ids.push_back(text_of(one, "id"));
  if (session.output == "name") return session.show(outcome, "", ids);
  return session.show(outcome, rows, "there are no tokens: proxyctl token create --name NAME --scope ROLE");
}

Exit create(const Session& session, const Options& options) {
  const Json body{{"name", options.name}, {"scopes", options.scopes}, {"expires", options.expires}};
  const Session::Outcome outcome =
      session.call({.method = "POST", .path = "/api/v1/tokens", .body = body.dump()}, [](const Reply& reply) {
        return std::string(
            reply.status == 422
                ? "a scope is viewer, operator, deployer, admin, or one of: read metrics logs purge purge:all "
                  "upstreams:runtime upstreams:write config:write certs:write workers upgrade access"
                : "");
      });
  if (!outcome.ok()) return outcome.exit;
  session.show(outcome, text_of(outcome.json, "token") + "\n", {text_of(outcome.json, "id")});
  if (session.output != "name")
    say("it is shown this once; put it into a file of your own (mode 600) and use it with: proxyctl --token-file FILE");
  return Exit::kOk;
}

Exit revoke(const Session& session, const Options& options) {
  if (const Exit exit = session.confirmed("revoke token " + options.id); exit != Exit::kOk) return exit;
  const auto hint = [&](const Reply& reply) {
    return reply.status == 404 ? meant(session, "/api/v1/tokens", "id", options.id, "proxyctl token list")
                               : std::string();
  };
  return session.show(session.call({.method = "DELETE", .path = "/api/v1/tokens/" + encoded(options.id)}, hint),
                      fmt::format("token {} is revoked\n", options.id));
}

Exit audit(const Session& session, const Options& options) {
  const Session::Outcome outcome =
      session.get(options.before.empty() ? "/api/v1/audit" : "/api/v1/audit?cursor=" + encoded(options.before));
  std::vector<Table::Column> columns = {{"TIME"}, {"AUTHOR"}, {"STATUS", true}, {"ACTION"}};
  if (session.wide()) columns.push_back({"DETAIL"});
  Table rows(std::move(columns));
  for (const Json& one : outcome.items()) {
    std::vector<std::string> cells = {text_of(one, "time"), text_of(one, "author"), text_of(one, "status"),
                                      text_of(one, "action")};
    if (session.wide()) cells.push_back(text_of(one, "detail"));
    rows.add(std::move(cells));
  }
  const Exit exit = session.show(outcome, rows, "nothing was done yet");
  const std::string next = outcome.ok() ? text_of(outcome.json, "next_cursor") : "-";
  if (session.for_people() && next != "-") say("older ones: proxyctl audit --before " + next);
  return exit;
}

}   // namespace

void add_token(CLI::App& app, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* noun = app.add_subcommand("token", "API tokens")->require_subcommand(1);
  noun->add_subcommand("list", "All of them, without their secrets")->callback([&session, &exit] {
    exit = list(session);
  });
  CLI::App* command = noun->add_subcommand("create", "A new one; it is printed this once");
  command->add_option("--name", options->name, "What it is for")->required()->type_name("NAME");
  command
      ->add_option("--scope", options->scopes,
                   "viewer, operator, deployer, admin, or a single scope; may be given again")
      ->required()
      ->allow_extra_args(false)
      ->delimiter(',')
      ->type_name("SCOPE");
  command->add_option("--expires", options->expires, "When it ends")
      ->check(duration())
      ->type_name("DURATION")
      ->capture_default_str();
  command->callback([&session, &exit, options] { exit = create(session, *options); });
  command = noun->add_subcommand("revoke", "End one");
  command->add_option("id", options->id, "Its id, of token list")->required()->type_name("ID");
  command->add_flag("--yes", session.yes, "Do not ask");
  command->callback([&session, &exit, options] { exit = revoke(session, *options); });
  command = app.add_subcommand("audit", "Who did what, newest first");
  command->add_option("--before", options->before, "What came before: as the last page said")->type_name("CURSOR");
  command->callback([&session, &exit, options] { exit = audit(session, *options); });
}

}   // namespace proxyd::cli
