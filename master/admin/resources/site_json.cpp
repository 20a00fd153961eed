#include "master/admin/resources/site_json.h"

#include <fmt/format.h>

#include "master/site_override.h"

namespace proxyd::admin {
namespace {

using master::SiteSubject;

// Null when there is none.
const store::Override* override_of(const master::ActiveConfiguration& active, const SiteSubject& subject) {
  for (const store::Override& one : active.overrides) {
    if (one.subject == subject.text()) return &one;
  }
  return nullptr;
}

Json overrides_json(const store::Override* one) {
  if (!one) return Json::array();
  Json item{{"kind", one->kind}, {"owner", one->owner}, {"reason", one->reason}, {"created", one->created}};
  if (!one->value.empty()) item["value"] = one->value;
  if (!one->expires.empty()) item["expires"] = one->expires;
  return Json::array({std::move(item)});
}

}   // namespace

WantedHost find_host(const AdminRequest& request, Context& context) {
  WantedHost wanted{context.master.configuration().active(), nullptr, {}};
  const std::string& name = request.parameters.at("h");
  const bool found = wanted.active && wanted.active->document.hosts.contains(name);
  if (found) wanted.host = &wanted.active->document.hosts.at(name);
  if (!found) wanted.refusal = problem("not-found", fmt::format("there is no host '{}'", name));
  return wanted;
}

Json split_json(const master::ActiveConfiguration& active, const config::Host& host, const config::Route& route) {
  const store::Override* one = override_of(active, {host.name, route.name});
  const auto others = one ? master::read_shares(one->value) : std::nullopt;
  return {{"host", host.name},
          {"name", route.name},
          {"by", route.split->by},
          {"declared", route.split->upstreams},
          {"shares", others ? master::with_shares(*route.split, *others) : route.split->upstreams},
          {"overrides", overrides_json(one)}};
}

Json host_json(const master::ActiveConfiguration& active, const config::Host& host) {
  const store::Override* one = override_of(active, {host.name, ""});
  Json splits = Json::array();
  for (const config::Route& route : host.routes) {
    if (route.split) splits.push_back(split_json(active, host, route));
  }
  Json json{{"name", host.name},
            {"names", host.names},
            {"routes", host.routes.size()},
            {"state", one || host.maintenance ? "maintenance" : "serving"},
            {"splits", std::move(splits)},
            {"overrides", overrides_json(one)}};
  if (host.maintenance) json["reason"] = "the document says so";
  return json;
}

}   // namespace proxyd::admin
