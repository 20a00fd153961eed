#include "worker/explain.h"

#include <fmt/format.h>

#include "worker/http/arena.h"
#include "worker/routing/client.h"
#include "worker/upstream/balancer.h"

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

std::string text(const json& question, const char* key, const char* initial) {
  const auto found = question.find(key);
  return found != question.end() && found->is_string() ? found->get<std::string>() : initial;
}

std::string admission_word(const upstream::Member& member) {
  if (member.target->addresses().empty()) return "checking";
  switch (member.admission) {
    case config::Admission::kDraining: return "draining";
    case config::Admission::kMaintenance: return "maintenance";
    case config::Admission::kReady: break;
  }
  return "up";
}

json describe(const upstream::UpstreamGroup& group) {
  json targets = json::array();
  for (const upstream::Member& member : group.members) {
    targets.push_back({{"id", member.id},
                       {"state", admission_word(member)},
                       {"eligible", member.is_eligible() && member.has_room()},
                       {"weight", member.weight},
                       {"backup", member.backup},
                       {"in_flight", member.target->in_flight_everywhere()}});
  }
  return {{"upstream", group.name},
          {"balance", group.balance == config::Balance::kP2c ? "p2c" : "round_robin"},
          {"targets", std::move(targets)}};
}

// What the matched route does with the request.
json action_of(const proxy::Configuration& configuration, const routing::RouteEntry& route,
               const routing::RequestFacts& facts, http::Arena& arena) {
  json action = json::object();
  if (route.rewrite) action["path"] = std::string(route.rewrite->apply(facts.head->target.path, facts, arena));
  if (const auto* group = configuration.route_upstream[route.index]) action["forward"] = describe(*group);
  if (route.split) {
    const auto& groups = configuration.route_split[route.index];
    const size_t drawn =
        route.split->draw(facts, [&groups](size_t i) { return upstream::Balancer::has_eligible(*groups[i]); });
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

// The listener that the request comes in by: the one asked for, else the first.
std::string listener_for(const proxy::Configuration& configuration, const json& question) {
  const std::string asked = text(question, "listener", "");
  if (!asked.empty() || configuration.document.listeners.empty()) return asked;
  return configuration.document.listeners.begin()->first;
}

}   // namespace

json explain(const proxy::Configuration& configuration, const json& question) {
  http::Arena arena;
  http::RequestHead head(arena);
  const std::string method = text(question, "method", "GET");
  const std::string url = text(question, "url", "");
  const std::string client_text = text(question, "client", "127.0.0.1");
  head.method_text = method;
  head.method = http::method_from(method);
  const auto target = http::parse_target(url, head.method, arena);
  if (!target)
    return {{"error", fmt::format("the url '{}' would be refused: {}", url, http::to_string(target.error()))}};
  head.target = *target;
  const auto headers = question.find("headers");
  if (headers != question.end() && headers->is_object()) {
    for (const auto& [name, value] : headers->items()) {
      if (value.is_string()) head.fields.add(arena.copy(name), arena.copy(value.get<std::string>()));
    }
  }
  const std::string_view host_text =
      target->form == http::TargetForm::kAbsolute ? target->authority : head.fields.value(http::FieldName::kHost);
  const auto authority = http::parse_authority(host_text, arena);
  if (!authority)
    return {
        {"error", fmt::format("the host '{}' would be refused: {}", host_text, http::to_string(authority.error()))}};
  head.authority = *authority;
  if (!head.fields.has(http::FieldName::kHost) && !host_text.empty())
    head.fields.add(http::FieldName::kHost, host_text);   // as whoever asks for that URL sends it
  const auto address = config::parse_mapped_address(client_text);
  if (!address) return {{"error", fmt::format("'{}' is no address of a client", client_text)}};
  const http::Scheme scheme = target->scheme == "https" ? http::Scheme::kHttps : http::Scheme::kHttp;
  const std::string listener = listener_for(configuration, question);
  routing::RequestFacts facts;
  facts.head = &head;
  facts.listener = listener;
  facts.peer_text = client_text;
  routing::take_client(facts, {.address = *address, .text = client_text, .scheme = scheme}, arena);
  Steps steps;
  const routing::Matched matched = configuration.matcher.find(facts, &steps);
  json answer{{"revision", configuration.snapshot.revision},
              {"listener", listener},
              {"host", matched.host ? json(matched.host->settings.name) : json()},
              {"path", std::string(facts.head->target.path)},
              {"candidates", steps.take()},
              {"route", matched.route ? json(matched.route->settings.name) : json()}};
  if (!matched.host) answer["result"] = "404: no host has this name on this listener";
  if (matched.host && !matched.route) answer["result"] = "404: no route of this host matches";
  if (matched.route) answer["action"] = action_of(configuration, *matched.route, facts, arena);
  return answer;
}

}   // namespace proxyd::worker
