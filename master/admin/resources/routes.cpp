#include <fmt/format.h>

#include <algorithm>

#include "master/admin/change.h"
#include "master/admin/resources/handlers.h"

namespace proxyd::admin {
namespace {

std::string place_of(const AdminRequest& request) {
  return fmt::format("hosts/{}/routes/{}", request.parameters.at("h"), request.parameters.at("r"));
}

// The list of the host's routes in `document`; null when there is no such host.
Json* routes_in(Json& document, const AdminRequest& request) {
  const auto hosts = document.find("hosts");
  if (hosts == document.end() || !hosts->contains(request.parameters.at("h"))) return nullptr;
  Json& routes = (*hosts)[request.parameters.at("h")]["routes"];
  if (!routes.is_array()) routes = Json::array();
  return &routes;
}

auto find_in(Json& routes, const std::string& name) {
  return std::find_if(routes.begin(), routes.end(),
                      [&name](const Json& route) { return route.value("name", "") == name; });
}

AdminAnswer no_host(const AdminRequest& request) {
  return problem("not-found", fmt::format("there is no host '{}'", request.parameters.at("h")));
}
AdminAnswer no_route(const AdminRequest& request) {
  return problem("not-found",
                 fmt::format("host '{}' has no route '{}'", request.parameters.at("h"), request.parameters.at("r")));
}

// Puts the route where `before` or `after` says; else it stays where it was, or goes to the end.
std::optional<AdminAnswer> place(Json& routes, Json route, const AdminRequest& request) {
  const std::string& name = request.parameters.at("r");
  const bool before = request.query.contains("before");
  const bool after = request.query.contains("after");
  const auto old_place = find_in(routes, name);
  if (!before && !after) {
    if (old_place != routes.end()) {
      *old_place = std::move(route);
    } else {
      routes.push_back(std::move(route));
    }
    return std::nullopt;
  }
  const std::string anchor_name = request.value(before ? "before" : "after");
  if (before && after) return problem("malformed", "give either before or after");
  if (anchor_name == name) return problem("malformed", "a route cannot be next to itself");
  if (find_in(routes, anchor_name) == routes.end())
    return invalid("", "reference",
                   fmt::format("host '{}' has no route '{}' to be next to", request.parameters.at("h"), anchor_name));
  if (old_place != routes.end()) routes.erase(old_place);
  const auto anchor = find_in(routes, anchor_name);
  routes.insert(before ? anchor : std::next(anchor), std::move(route));
  return std::nullopt;
}

Proposal proposal_with(Json& document, Json& routes, Json route, const AdminRequest& request) {
  const std::string& name = request.parameters.at("r");
  if (!route.contains("name")) {
    Json named{{"name", name}};
    named.update(route);
    route = std::move(named);
  }
  if (route["name"] != name)
    return Proposal::refused(invalid("/name", "value", fmt::format("the path names the route '{}'", name)));
  if (auto refused = place(routes, std::move(route), request)) return Proposal::refused(*refused);
  return Proposal::of(document);
}

}   // namespace

AdminAnswer get_route(const AdminRequest& request, Context& context) {
  const auto active = context.master.configuration().active();
  Json document = active ? active->canonical : Json::object();
  Json* routes = routes_in(document, request);
  if (!routes) return no_host(request);
  const auto route = find_in(*routes, request.parameters.at("r"));
  if (route == routes->end()) return no_route(request);
  AdminAnswer answer = json_answer(*route);
  answer.fields["ETag"] = object_tag(*active, place_of(request));
  answer.fields["Proxyd-Revision"] = std::to_string(active->revision.number);
  return answer;
}

AdminAnswer put_route(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  return change_document(request, context, {place_of(request), [&](Json document) {
                                              Json* routes = routes_in(document, request);
                                              return routes ? proposal_with(document, *routes, body.json, request)
                                                            : Proposal::refused(no_host(request));
                                            }});
}

AdminAnswer patch_route(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  return change_document(request, context, {place_of(request), [&](Json document) {
                                              Json* routes = routes_in(document, request);
                                              if (!routes) return Proposal::refused(no_host(request));
                                              const auto found = find_in(*routes, request.parameters.at("r"));
                                              if (found == routes->end()) return Proposal::refused(no_route(request));
                                              Json route = *found;
                                              route.merge_patch(body.json);
                                              return proposal_with(document, *routes, std::move(route), request);
                                            }});
}

AdminAnswer delete_route(const AdminRequest& request, Context& context) {
  Json now = active_document(context);
  Json* there = routes_in(now, request);
  const bool missing = !there || find_in(*there, request.parameters.at("r")) == there->end();
  if (missing && request.flag("missing_ok")) return json_answer({{"changes", Json::array()}});
  return change_document(request, context, {place_of(request), [&](Json document) {
                                              Json* routes = routes_in(document, request);
                                              if (!routes) return Proposal::refused(no_host(request));
                                              const auto found = find_in(*routes, request.parameters.at("r"));
                                              if (found == routes->end()) return Proposal::refused(no_route(request));
                                              routes->erase(found);
                                              return Proposal::of(document);
                                            }});
}

}   // namespace proxyd::admin
