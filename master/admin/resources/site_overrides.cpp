#include <fmt/format.h>

#include <algorithm>

#include "master/admin/body_fields.h"
#include "master/admin/change.h"
#include "master/admin/resources/handlers.h"
#include "master/admin/resources/site_json.h"
#include "master/site_override.h"

namespace proxyd::admin {
namespace {

using master::Shares;
using master::SiteSubject;

constexpr milliseconds kLongestOverride = std::chrono::hours(24 * 366);
constexpr int64_t kMostShare = 1'000'000;   // as in the document

// What a person said of a site, who did, and until when.
store::Override override_by(const AdminRequest& request, const SiteSubject& subject, const std::string& kind,
                            BodyFields& fields) {
  const auto now = std::chrono::system_clock::now();
  const auto lifetime = fields.duration("for", milliseconds(1000), kLongestOverride);
  return {subject.text(),
          kind,
          "",
          request.identity.name,
          fields.text("reason").value_or(""),
          rfc3339(now),
          lifetime ? rfc3339(now + *lifetime) : ""};
}

Json event_of(const SiteSubject& subject, const std::string& state, const AdminRequest& request,
              const std::string& reason) {
  Json event{{"host", subject.host}, {"state", state}, {"owner", request.identity.name}, {"reason", reason}};
  if (!subject.route.empty()) event["route"] = subject.route;
  return event;
}

// In force and kept, or the refusal.
std::optional<AdminAnswer> put(const AdminRequest& request, Context& context, const SiteSubject& subject,
                               const store::Override& one) {
  const auto done = context.master.configuration().put_override(one);
  if (!done && done.error().kind == master::Configuration::Failure::Kind::kChangedMeanwhile)
    return problem("not-found", "the document does not have it any more");
  if (!done) return failure_answer(done.error());
  context.master.events().publish("site", event_of(subject, one.kind, request, one.reason));
  return std::nullopt;
}

std::optional<AdminAnswer> clear(const AdminRequest& request, Context& context, const SiteSubject& subject,
                                 const std::string& reason) {
  const auto done = context.master.configuration().clear_override(subject.text());
  if (!done) return failure_answer(done.error());
  if (*done) context.master.events().publish("site", event_of(subject, "as declared", request, reason));
  return std::nullopt;
}

AdminAnswer host_answer(const AdminRequest& request, Context& context) {
  const WantedHost now = find_host(request, context);
  return now.host ? json_answer(host_json(*now.active, *now.host)) : now.refusal;
}

AdminAnswer planned(const WantedHost& wanted, const std::string& state) {
  Json json = host_json(*wanted.active, *wanted.host);
  json["dry_run"] = true;
  json["state"] = wanted.host->maintenance ? "maintenance" : state;
  return json_answer(json);
}

const config::Route* find_split(const WantedHost& wanted, const std::string& name) {
  const auto& routes = wanted.host->routes;
  const auto route =
      std::find_if(routes.begin(), routes.end(), [&name](const config::Route& one) { return one.name == name; });
  return route == routes.end() ? nullptr : &*route;
}

// {"api": 90}: what is not named keeps the document's share.
Shares shares_in(BodyFields& fields, const Json& given, const config::Split& split) {
  Shares shares;
  for (const auto& [name, share] : given.items()) {
    const bool is_share = share.is_number_integer() && share >= 0 && share <= kMostShare;
    if (!split.upstreams.contains(name))
      fields.fault_at("/weights/" + name, "reference", fmt::format("the split has no upstream '{}'", name));
    else if (!is_share)
      fields.fault_at("/weights/" + name, "range", fmt::format("a share is a number from 0 to {}", kMostShare));
    else
      shares[name] = share.get<uint32_t>();
  }
  const Shares all = master::with_shares(split, shares);
  if (std::all_of(all.begin(), all.end(), [](const auto& entry) { return entry.second == 0; }))
    fields.fault("weights", "range", "one share at least must be above zero");
  return shares;
}

AdminAnswer split_answer(const AdminRequest& request, Context& context) {
  const WantedHost now = find_host(request, context);
  const config::Route* route = now.host ? find_split(now, request.parameters.at("r")) : nullptr;
  return route && route->split ? json_answer(split_json(*now.active, *now.host, *route))
                               : problem("not-found", "the document does not have it any more");
}

}   // namespace

AdminAnswer maintain_host(const AdminRequest& request, Context& context) {
  const WantedHost wanted = find_host(request, context);
  if (!wanted.host) return wanted.refusal;
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  BodyFields fields(body.json);
  const SiteSubject subject{wanted.host->name, ""};
  const store::Override one = override_by(request, subject, "maintenance", fields);
  if (auto refused = fields.refusal()) return *refused;
  if (request.dry_run()) return planned(wanted, "maintenance");
  if (auto refused = put(request, context, subject, one)) return *refused;
  return host_answer(request, context);
}

AdminAnswer ready_host(const AdminRequest& request, Context& context) {
  const WantedHost wanted = find_host(request, context);
  if (!wanted.host) return wanted.refusal;
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  BodyFields fields(body.json);
  const std::string reason = fields.text("reason").value_or("");
  if (auto refused = fields.refusal()) return *refused;
  if (request.dry_run()) return planned(wanted, "serving");
  if (auto refused = clear(request, context, {wanted.host->name, ""}, reason)) return *refused;
  return host_answer(request, context);
}

// {"weights": {"api": 90, "api-next": 10}}; null goes back to the document's.
AdminAnswer split_route(const AdminRequest& request, Context& context) {
  const WantedHost wanted = find_host(request, context);
  if (!wanted.host) return wanted.refusal;
  const std::string& name = request.parameters.at("r");
  const config::Route* route = find_split(wanted, name);
  if (!route) return problem("not-found", fmt::format("host '{}' has no route '{}'", wanted.host->name, name));
  if (!route->split) return invalid("", "split", fmt::format("route '{}' has no split", name));
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  BodyFields fields(body.json);
  const SiteSubject subject{wanted.host->name, name};
  store::Override one = override_by(request, subject, "split", fields);
  const Json* given = fields.any("weights");
  const bool said = body.json.is_object() && body.json.contains("weights");
  Shares shares;
  if (given && given->is_object())
    shares = shares_in(fields, *given, *route->split);
  else if (given || !said)
    fields.fault("weights", "type", "weights is an object of shares by upstream, or null for the document's");
  if (auto refused = fields.refusal()) return *refused;
  if (request.dry_run()) {
    Json json = split_json(*wanted.active, *wanted.host, *route);
    json["dry_run"] = true;
    json["shares"] = master::with_shares(*route->split, shares);
    return json_answer(json);
  }
  one.value = master::text_of(shares);
  const bool undone = shares.empty();
  auto refused = undone ? clear(request, context, subject, one.reason) : put(request, context, subject, one);
  return refused ? *refused : split_answer(request, context);
}

}   // namespace proxyd::admin
