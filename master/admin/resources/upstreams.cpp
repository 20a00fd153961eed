#include "master/admin/change.h"
#include "master/admin/page.h"
#include "master/admin/resources/handlers.h"
#include "master/admin/resources/member_change.h"
#include "master/admin/resources/target_json.h"
#include "master/admin/resources/wanted_target.h"

namespace proxyd::admin {
namespace {

Json upstream_json(const master::ActiveConfiguration& active, const config::Upstream& upstream, Context& context) {
  Json targets = Json::array();
  for (const auto& [id, target] : upstream.targets) targets.push_back(target_json(active, upstream, target, context));
  Json json{{"name", upstream.name},
            {"balance", active.canonical.at("upstreams").at(upstream.name).value("balance", "p2c")},
            {"membership", upstream.membership == config::Membership::kDynamic ? "dynamic" : "declared"},
            {"configuration", active.canonical.at("upstreams").at(upstream.name)},
            {"targets", std::move(targets)}};
  if (upstream.membership == config::Membership::kDynamic) json["counters"] = dynamic_counters(upstream, context);
  return json;
}

}   // namespace

AdminAnswer list_upstreams(const AdminRequest& request, Context& context) {
  const auto active = context.master.configuration().active();
  Json items = Json::array();
  if (active) {
    for (const auto& [name, upstream] : active->document.upstreams)
      items.push_back(upstream_json(*active, upstream, context));
  }
  return page_answer(request, items, "name");
}

AdminAnswer get_upstream(const AdminRequest& request, Context& context) {
  const WantedTarget wanted = find_target(request, context);
  if (!wanted.upstream) return wanted.refusal;
  AdminAnswer answer = json_answer(upstream_json(*wanted.active, *wanted.upstream, context));
  answer.fields["Proxyd-Revision"] = std::to_string(wanted.active->revision.number);
  return answer;
}

// Its tag is that of the object in the document, for who changes it; states and counters beside it change all the time.
AdminAnswer get_target(const AdminRequest& request, Context& context) {
  const WantedTarget wanted = find_target(request, context);
  if (!wanted.target) return wanted.refusal;
  AdminAnswer answer = json_answer(target_json(*wanted.active, *wanted.upstream, *wanted.target, context));
  const master::Member* member = wanted.member();
  answer.fields["ETag"] = member ? member_tag(*member) : object_tag(*wanted.active, place_of(request));
  answer.is_live = true;
  answer.fields["Proxyd-Revision"] = std::to_string(wanted.active->revision.number);
  return answer;
}

}   // namespace proxyd::admin
