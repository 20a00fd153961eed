#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands/commands.h"
#include "cli/commands/targets.h"

namespace proxyd::cli {
namespace {

Table table_of(const Session& session, const Json& upstreams) {
  std::vector<Table::Column> columns = {{"UPSTREAM"},           {"TARGET"},       {"ADDRESS"},
                                        {"STATE", false, true}, {"WEIGHT", true}, {"IN FLIGHT", true},
                                        {"CONNECTIONS", true}};
  const bool marked = session.wide() || std::any_of(upstreams.begin(), upstreams.end(), [](const Json& one) {
                        return text_of(one, "membership") == "dynamic";
                      });
  if (marked) columns.push_back({"MEMBERSHIP"});
  if (session.wide()) columns.insert(columns.end(), {{"BACKUP"}, {"WHY"}});
  Table rows(std::move(columns));
  for (const Json& upstream : upstreams) {
    for (const Json& target : upstream.value("targets", Json::array())) {
      std::vector<std::string> cells = target_cells(text_of(upstream, "name"), target);
      if (marked) cells.push_back(text_of(upstream, "membership"));
      if (session.wide()) cells.insert(cells.end(), {target.value("backup", false) ? "yes" : "no", reasons_of(target)});
      rows.add(std::move(cells));
    }
  }
  return rows;
}

Exit list(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/upstreams");
  const Json items = outcome.items();
  return session.show(outcome, table_of(session, items),
                      items.empty() ? "there are no upstreams yet: proxyctl apply -f FILE"
                                    : "no upstream has a target: proxyctl upstream target add UPSTREAM ADDRESS");
}

// The table, and under it why a target is not simply up.
Exit show(const Session& session, const std::string& name) {
  const Session::Outcome outcome = session.get("/api/v1/upstreams/" + encoded(name), [&](const Reply&) {
    return meant(session, "/api/v1/upstreams", "name", name, "proxyctl upstream list");
  });
  if (!outcome.ok()) return outcome.exit;
  std::string text = fmt::format("upstream {}: balance {}, membership {}\n", text_of(outcome.json, "name"),
                                 text_of(outcome.json, "balance"), text_of(outcome.json, "membership"));
  text += table_of(session, Json::array({outcome.json})).text(session.colour_on(), session.wide() ? 0 : session.width);
  for (const Json& target : outcome.json.value("targets", Json::array())) {
    const std::string reasons = reasons_of(target);
    if (!reasons.empty()) text += fmt::format("{}: {}\n", text_of(target, "id"), reasons);
  }
  return session.show(outcome, text);
}

}   // namespace

void add_upstream(CLI::App& app, Session& session, Exit& exit) {
  CLI::App* noun = app.add_subcommand("upstream", "Upstreams and their targets")->require_subcommand(1);
  noun->add_subcommand("list", "Every target of every upstream")->callback([&session, &exit] { exit = list(session); });
  auto name = std::make_shared<std::string>();
  CLI::App* command = noun->add_subcommand("show", "One upstream, and why each target is in its state");
  command->add_option("upstream", *name, "Its name")->required()->type_name("UPSTREAM");
  command->callback([&session, &exit, name] { exit = show(session, *name); });
  add_membership(*noun, session, exit);
  add_overrides(*noun, session, exit);
  add_check(*noun, session, exit);
}

}   // namespace proxyd::cli
