#include "cli/commands/targets.h"

#include <fmt/format.h>

namespace proxyd::cli {

std::string TargetName::path() const {
  return fmt::format("/api/v1/upstreams/{}/targets/{}", encoded(upstream), encoded(id));
}
std::string TargetName::words() const { return fmt::format("target '{}' of '{}'", id, upstream); }

CLI::App* with_target(CLI::App* command, TargetName& name) {
  command->add_option("upstream", name.upstream, "Name of the upstream")->required()->type_name("UPSTREAM");
  command->add_option("id", name.id, "Id of the target")->required()->type_name("ID");
  return command;
}

namespace {

std::string meant_target(const Session& session, const TargetName& name) {
  const auto upstream =
      RestClient(session.address, session.token).call({.path = "/api/v1/upstreams/" + encoded(name.upstream)});
  if (upstream && upstream->ok())
    return meant(session, "/api/v1/upstreams/" + encoded(name.upstream), "id", name.id,
                 "proxyctl upstream show " + name.upstream);
  return meant(session, "/api/v1/upstreams", "name", name.upstream, "proxyctl upstream list");
}

}   // namespace

Session::HintFor hint_of_target(const Session& session, const TargetName& name) {
  return [&session, name](const Reply& reply) {
    return reply.status == 404 ? meant_target(session, name) : std::string();
  };
}

std::string state_of(const Json& target) {
  const std::string word = text_of(target, "state");
  if (!target.contains("starting_percent")) return word;
  return fmt::format("{} (starting {} %)", word, text_of(target, "starting_percent"));
}

std::vector<std::string> target_cells(const std::string& upstream, const Json& target) {
  const std::string weight = text_of(target, "weight");
  const std::string effective = text_of(target, "effective_weight");
  return {upstream,
          text_of(target, "id"),
          text_of(target, "address"),
          state_of(target),
          weight == effective ? weight : weight + " → " + effective,
          text_of(target, "in_flight"),
          text_of(target, "connections")};
}

std::string reasons_of(const Json& target) {
  std::string out = target.contains("reason") ? text_of(target, "reason") : "";
  if (target.contains("lease_ends"))
    out += fmt::format("{}lease of {} until {}", out.empty() ? "" : "; ", text_of(target, "lease"),
                       text_of(target, "lease_ends"));
  for (const Json& one : target.value("overrides", Json::array())) {
    const std::string value = one.contains("value") ? " " + text_of(one, "value") : "";
    const std::string reason = text_of(one, "reason");
    out += fmt::format("{}{}{} by {} since {}{}{}", out.empty() ? "" : "; ", text_of(one, "kind"), value,
                       text_of(one, "owner"), text_of(one, "created"),
                       one.contains("expires") ? " until " + text_of(one, "expires") : "",
                       reason.empty() || reason == "-" ? "" : " (" + reason + ")");
  }
  return out;
}

std::string in_flight_of(const Json& target) {
  const std::string count = text_of(target, "in_flight");
  std::string out =
      fmt::format("{} request{} in flight at {}", count, count == "1" ? "" : "s", text_of(target, "address"));
  for (const Json& one : target.value("in_flight_by_worker", Json::array()))
    out += fmt::format("\n  worker {}: {}", text_of(one, "slot"), text_of(one, "in_flight"));
  return out;
}

}   // namespace proxyd::cli
