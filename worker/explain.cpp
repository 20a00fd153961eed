#include "worker/explain.h"

#include <fmt/format.h>

#include "shared/status/target_health.h"
#include "worker/asked_request.h"
#include "worker/cache_lookup.h"
#include "worker/routing/closed_host.h"
#include "worker/routing/https_only.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::worker {
namespace {

using nlohmann::json;

class Steps final : public routing::Matcher::Observer {
 public:
  void candidate(const routing::RouteEntry& route, std::string_view rank, std::string_view failed) override {
    json step{{"route", route.settings.name}, {"rank", std::string(rank)}, {"matched", failed.empty()}};
    if (!failed.empty()) step["why_not"] = fmt::format("its {} does not match", failed);
    steps_.push_back(std::move(step));
  }
  json take() { return std::move(steps_); }

 private:
  json steps_ = json::array();
};

std::string state_word(const upstream::Member& member, const upstream::UpstreamGroup& group) {
  using Condition = status::TargetHealth::Condition;
  switch (member.admission) {
    case config::Admission::kDraining: return "draining";
    case config::Admission::kMaintenance: return "maintenance";
    case config::Admission::kReady: break;
  }
  if (!member.target->address()) return "checking";
  const status::TargetHealth health(group.status->health(member.target->row()));
  switch (health.condition(group.check != nullptr, group.passive != nullptr)) {
    case Condition::kChecking: return "checking";
    case Condition::kFailing:
    case Condition::kEjected: return "down";
    case Condition::kDegraded: return "degraded";
    case Condition::kUp: break;
  }
  return "up";
}

std::string_view balance_word(config::Balance balance) {
  switch (balance) {
    case config::Balance::kRoundRobin: return "round_robin";
    case config::Balance::kLeastRequests: return "least_requests";
    case config::Balance::kConsistentHash: return "consistent_hash";
    case config::Balance::kP2c: break;
  }
  return "p2c";
}

json describe(const upstream::UpstreamGroup& group) {
  json targets = json::array();
  const upstream::Standing& standing = group.standing_at(Clock::now());
  for (size_t i = 0; i < group.members.size(); ++i) {
    const upstream::Member& member = group.members[i];
    const uint32_t weight = standing.weight_of(static_cast<uint16_t>(i));
    targets.push_back({{"id", member.id},
                       {"state", state_word(member, group)},
                       {"eligible", weight > 0 && member.has_room()},
                       {"weight", member.weight},
                       {"weight_now", weight},
                       {"backup", member.backup},
                       {"in_flight", member.target->in_flight_everywhere()}});
  }
  return {{"upstream", group.name}, {"balance", balance_word(group.balance)}, {"targets", std::move(targets)}};
}

json describe_access(const proxy::RouteGuard& guard, const routing::RequestFacts& facts) {
  json steps = json::array();
  for (const proxy::AccessRule& rule : guard.access) {
    const routing::AccessList::Verdict verdict = rule.list->decide(facts.client);
    const json network = verdict.network.empty() ? json() : json(std::string(verdict.network));
    steps.push_back({{"list", rule.list->name()}, {"allowed", verdict.allowed}, {"network", network}});
    if (!verdict.allowed) break;
  }
  return steps;
}

json describe_rates(const proxy::RouteGuard& guard, const routing::RequestFacts& facts) {
  json steps = json::array();
  for (const auto* rules : {&guard.rates, &guard.origin_rates}) {
    for (const proxy::RateRule* rule : *rules) {
      const config::RateLimit& settings = rule->limit.settings();
      const config::RequestKey* key = rule->limit.counted_by(facts);
      steps.push_back({{"limit", settings.name},
                       {"counted_by", key ? json(*key) : json()},
                       {"requests", rule->limit.rate().quota()},
                       {"count", settings.count == config::RateLimit::Count::kOrigin ? "origin" : "all"},
                       {"mode", settings.mode == config::RateLimit::Mode::kObserve ? "observe" : "enforce"}});
    }
  }
  return steps;
}

// Whom the route lets in.
json describe_guard(const proxy::Configuration& configuration, const routing::RouteEntry& route,
                    const routing::RequestFacts& facts) {
  json said = json::object();
  if (routing::is_ambiguous(route.settings, facts.head->target))
    return {{"refused", "400: the path has an encoded slash, backslash or NUL, and the route guards paths"}};
  const proxy::RouteGuard* const guard = configuration.route_guard[route.index].get();
  if (!guard) return said;
  if (!guard->access.empty()) said["access"] = describe_access(*guard, facts);
  if (said.contains("access") && !said["access"].back()["allowed"])
    said["refused"] = "403: an access list denies this client";
  if (guard->requests_per_client) said["requests_at_once"] = *guard->requests_per_client;
  const json rates = describe_rates(*guard, facts);
  if (!rates.empty()) said["rate_limits"] = rates;
  return said;
}

// What the matched route does with the request.
json action_of(const proxy::Configuration& configuration, const routing::RouteEntry& route, AskedRequest& asked) {
  const routing::RequestFacts& facts = asked.facts();
  http::Arena& arena = asked.arena();
  json action = describe_guard(configuration, route, facts);
  if (action.contains("refused")) return action;
  if (route.settings.upstream || route.split) action["cache"] = describe_terms(configuration, route, asked);
  if (route.rewrite) action["path"] = std::string(route.rewrite->apply(facts.head->target.path, facts, arena));
  if (const auto* group = configuration.route_upstream[route.index]) action["forward"] = describe(*group);
  if (route.split) {
    const auto& groups = configuration.route_split[route.index];
    const size_t drawn =
        route.split->draw(facts, [&groups](size_t i) { return groups[i]->has_eligible(Clock::now()); });
    action["split_by"] = route.settings.split->by;
    action["forward"] = describe(*groups[drawn]);
  }
  if (route.redirect)
    action["redirect"] = {{"status", route.settings.redirect->status},
                          {"location", std::string(route.redirect->render(facts, arena))}};
  if (route.settings.respond) action["respond"] = {{"status", route.settings.respond->status}};
  if (route.settings.ready) action["ready"] = true;
  return action;
}

// What clients must show, the host's first; never what is in the files.
json describe_auth(const config::Route& route) {
  json auth = json::array();
  for (const config::Auth& one : route.auth) {
    if (one.basic) auth.push_back({{"basic", {{"realm", one.basic->realm}, {"users_file", one.basic->users_file}}}});
    if (one.jwt) auth.push_back({{"jwt", {{"jwks_file", one.jwt->jwks_file}, {"algorithms", one.jwt->algorithms}}}});
  }
  return auth;
}

}   // namespace

json explain(const proxy::Configuration& configuration, const json& question) {
  AskedRequest asked(configuration, question);
  if (!asked.fault().empty()) return {{"error", asked.fault()}};
  routing::RequestFacts& facts = asked.facts();
  Steps steps;
  const routing::Matched matched = configuration.matcher.find(facts, &steps);
  json answer{{"revision", configuration.snapshot.revision},
              {"listener", asked.listener()},
              {"host", matched.host ? json(matched.host->settings.name) : json()},
              {"path", std::string(facts.head->target.path)},
              {"candidates", steps.take()},
              {"route", matched.route ? json(matched.route->settings.name) : json()}};
  if (!matched.host) answer["result"] = "404: no host has this name on this listener";
  if (matched.host && !matched.route) answer["result"] = "404: no route of this host matches";
  const bool closed = routing::is_closed_to(matched, facts);
  if (closed) answer["result"] = "503: the host is in maintenance";
  const bool sent_away = !closed && routing::must_be_https(matched, facts);
  if (sent_away)
    answer["result"] = fmt::format("{}: sent to https (force_https)", matched.host->settings.force_https->status);
  if (!matched.route || sent_away || closed) return answer;
  if (!matched.route->settings.auth.empty()) answer["auth"] = describe_auth(matched.route->settings);
  answer["action"] = action_of(configuration, *matched.route, asked);
  return answer;
}

}   // namespace proxyd::worker
