#include "master/admin/resources/wanted_target.h"

#include <fmt/format.h>

namespace proxyd::admin {

WantedTarget find_target(const AdminRequest& request, Context& context) {
  WantedTarget wanted{context.master.configuration().active(), nullptr, nullptr, {}};
  const std::string& name = request.parameters.at("u");
  const auto* upstreams = wanted.active ? &wanted.active->document.upstreams : nullptr;
  if (!upstreams || !upstreams->contains(name)) {
    wanted.refusal = problem("not-found", fmt::format("there is no upstream '{}'", name));
    return wanted;
  }
  wanted.upstream = &upstreams->at(name);
  const auto id = request.parameters.find("t");
  if (id == request.parameters.end()) return wanted;
  const auto target = wanted.upstream->targets.find(id->second);
  if (target != wanted.upstream->targets.end()) {
    wanted.target = &target->second;
  } else {
    wanted.refusal = problem("not-found", fmt::format("upstream '{}' has no target '{}'", name, id->second));
  }
  return wanted;
}

const master::Member* WantedTarget::member() const {
  if (!target || !is_dynamic()) return nullptr;
  return &active->members.at(upstream->name).at(target->id);
}

std::string place_of(const AdminRequest& request) {
  return fmt::format("upstreams/{}/targets/{}", request.parameters.at("u"), request.parameters.at("t"));
}

Json* targets_in(Json& document, const AdminRequest& request) {
  const std::string& name = request.parameters.at("u");
  const auto upstreams = document.find("upstreams");
  if (upstreams == document.end() || !upstreams->contains(name)) return nullptr;
  Json& targets = (*upstreams)[name]["targets"];
  if (!targets.is_object()) targets = Json::object();
  return &targets;
}

Proposal not_there(const AdminRequest& request) {
  return Proposal::refused(problem("not-found", fmt::format("upstream '{}' has no target '{}'",
                                                            request.parameters.at("u"), request.parameters.at("t"))));
}

}   // namespace proxyd::admin
