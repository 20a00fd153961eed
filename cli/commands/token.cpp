#include <fmt/format.h>

#include <memory>

#include "cli/commands/commands.h"

namespace proxyd::cli {
namespace {

struct Options {
  std::string name;
  std::string id;
  std::string expires = "90d";
  std::vector<std::string> scopes;
};

Exit list(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/tokens");
  std::vector<std::vector<std::string>> rows = {{"ID", "NAME", "EXPIRES", "SCOPES"}};
  for (const Json& one : outcome.ok() ? outcome.reply.json().value("items", Json::array()) : Json::array()) {
    rows.push_back({text_of(one, "id"), text_of(one, "name"), text_of(one, "expires"), fmt::format("{}", fmt::join(one.value("scopes", std::vector<std::string>()), " "))});
  }
  return session.show(outcome, table(rows));
}

Exit create(const Session& session, const Options& options) {
  const Json body{{"name", options.name}, {"scopes", options.scopes}, {"expires", options.expires}};
  const Session::Outcome outcome = session.call({"POST", "/api/v1/tokens", body.dump(), "application/json", {}});
  const Exit shown = session.show(outcome, outcome.ok() ? text_of(outcome.reply.json(), "token") + "\n" : "");
  if (shown == Exit::kOk) std::fprintf(stderr, "it is shown this once; put it into a file for --token-file\n");
  return shown;
}

Exit revoke(const Session& session, const Options& options) {
  if (!session.confirmed("revoke token " + options.id)) return Exit::kUsage;
  return session.show(session.call({"DELETE", "/api/v1/tokens/" + encoded(options.id), "", "", {}}), "revoked\n");
}

Exit audit(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/audit");
  std::vector<std::vector<std::string>> rows = {{"TIME", "AUTHOR", "STATUS", "ACTION"}};
  for (const Json& one : outcome.ok() ? outcome.reply.json().value("items", Json::array()) : Json::array()) {
    rows.push_back({text_of(one, "time"), text_of(one, "author"), text_of(one, "status"), text_of(one, "action")});
  }
  return session.show(outcome, table(rows));
}

}  // namespace

void add_token(CLI::App& app, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* noun = app.add_subcommand("token", "API tokens")->require_subcommand(1);
  noun->add_subcommand("list", "All of them, without secrets")->callback([&session, &exit] { exit = list(session); });
  CLI::App* command = noun->add_subcommand("create", "A new one");
  command->add_option("--name", options->name)->required();
  command->add_option("--scope", options->scopes, "A scope, or viewer, operator, deployer, admin")->required();
  command->add_option("--expires", options->expires, "90d");
  command->callback([&session, &exit, options] { exit = create(session, *options); });
  command = noun->add_subcommand("revoke", "End one");
  command->add_option("id", options->id)->required();
  command->add_flag("--yes", session.yes, "Do not ask");
  command->callback([&session, &exit, options] { exit = revoke(session, *options); });
  app.add_subcommand("audit", "Who did what")->callback([&session, &exit] { exit = audit(session); });
}

}  // namespace proxyd::cli
