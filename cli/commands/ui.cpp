#include <fmt/format.h>

#include "cli/commands/commands.h"

namespace proxyd::cli {
namespace {

// The link that logs a browser in, once and for 60 s.
Exit login(const Session& session) {
  const Session::Outcome outcome = session.call({.method = "POST", .path = "/api/v1/login-codes"}, [&session](
                                                                                                       const Reply&
                                                                                                           reply) {
    const bool not_here = reply.status == 403 && !session.address.starts_with("unix:");
    return std::string(
        not_here
            ? "login codes are made on the unix socket only: sudo proxyctl --addr unix:/run/proxyd/admin.sock ui login"
            : "");
  });
  if (!outcome.ok()) return outcome.exit;
  const std::string url = text_of(outcome.json, "url");
  if (url == "-")
    return print_error("the admin server has no TCP address, so there is no UI",
                       "set admin.tcp.address in the bootstrap file, or start it with --admin 127.0.0.1:9191"),
           Exit::kNegative;
  session.show(outcome, url + "\n", {url});
  say("open it in a browser within 60 s; it works once");
  return Exit::kOk;
}

Exit url(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/status");
  if (!outcome.ok()) return outcome.exit;
  const std::string at = text_of(outcome.json, "admin_url");
  if (at == "-")
    return print_error("the admin server has no TCP address, so there is no UI",
                       "set admin.tcp.address in the bootstrap file, or start it with --admin 127.0.0.1:9191"),
           Exit::kNegative;
  return session.show(outcome, at + "\n", {at});
}

}   // namespace

void add_ui(CLI::App& app, Session& session, Exit& exit) {
  CLI::App* noun = app.add_subcommand("ui", "The browser's way in")->require_subcommand(1);
  noun->add_subcommand("login", "A link that logs a browser in, once, within 60 s")->callback([&session, &exit] {
    exit = login(session);
  });
  noun->add_subcommand("url", "Where it is")->callback([&session, &exit] { exit = url(session); });
}

}   // namespace proxyd::cli
