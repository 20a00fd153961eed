#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "master/admin/change.h"
#include "master/admin/provenance.h"
#include "master/admin/resources/handlers.h"
#include "master/certificate_findings.h"
#include "shared/config/schema.h"

namespace proxyd::admin {
namespace {

// The kinds of object that have a name, or the others.
std::vector<std::string_view> kinds(bool named) {
  std::vector<std::string_view> all;
  for (const config::Key& key : config::document_type().keys) {
    if (key.name != "version" && config::is_map_of_objects(key.name) == named) all.push_back(key.name);
  }
  return all;
}

bool is_yaml(const std::string& type) { return type.find("yaml") != std::string::npos; }

config::Decoded decode_body(const AdminRequest& request) {
  return config::decode(request.body,
                        is_yaml(request.field("content-type")) ? config::Format::kYaml : config::Format::kJson);
}

bool is_kind(const AdminRequest& request) {
  const auto known = kinds(request.parameters.contains("name"));
  return std::find(known.begin(), known.end(), request.parameters.at("kind")) != known.end();
}

AdminAnswer no_kind(const AdminRequest& request) {
  return problem("not-found",
                 fmt::format("'{}' is no kind of object; with a name: {}; without: {}", request.parameters.at("kind"),
                             fmt::join(kinds(true), ", "), fmt::join(kinds(false), ", ")));
}

// "upstreams/app", "defaults".
std::string place_of(const AdminRequest& request) {
  const auto name = request.parameters.find("name");
  return request.parameters.at("kind") + (name == request.parameters.end() ? "" : "/" + name->second);
}

// The place of the object in `document`, made when `create`; null when it is not there.
Json* object_in(Json& document, const AdminRequest& request, bool create) {
  const std::string& kind = request.parameters.at("kind");
  if (!document.contains(kind) && !create) return nullptr;
  Json& part = document[kind];
  const auto name = request.parameters.find("name");
  if (name == request.parameters.end()) return &part;
  if (part.is_null()) part = Json::object();
  if (!part.contains(name->second) && !create) return nullptr;
  return &part[name->second];
}

AdminAnswer no_object(const AdminRequest& request) {
  const auto name = request.parameters.find("name");
  return problem("not-found",
                 name == request.parameters.end()
                     ? "there is no such part of the document"
                     : fmt::format("there is no '{}' among the {}", name->second, request.parameters.at("kind")));
}

// The levels of the document that say this cache policy; who only inherits it is not among them.
std::vector<std::string> users_of_cache_policy(const std::string& name, const Json& document) {
  const auto says = [&name](const Json& level) { return level.value("cache", Json(nullptr)) == name; };
  const Json none = Json::object();
  std::vector<std::string> users;
  if (says(document.value("defaults", none))) users.emplace_back("defaults");
  const Json hosts = document.value("hosts", none);
  for (const auto& [host_name, host] : hosts.items()) {
    if (says(host)) users.push_back("hosts/" + host_name);
    for (const Json& route : host.value("routes", Json::array())) {
      if (says(route)) users.push_back(fmt::format("hosts/{}/routes/{}", host_name, route.value("name", "")));
    }
  }
  return users;
}

// Who names an upstream, a listener, a certificate or a cache policy, so that it cannot go.
std::vector<std::string> users_of(const AdminRequest& request, Context& context) {
  std::vector<std::string> users;
  const auto active = context.master.configuration().active();
  const std::string& kind = request.parameters.at("kind");
  const auto given = request.parameters.find("name");
  if (!active || given == request.parameters.end()) return users;
  const std::string& name = given->second;
  if (kind == "certificates") return master::certificate_users(active->document, active->certificates, name);
  if (kind == "cache_policies") return users_of_cache_policy(name, active->canonical);
  for (const auto& [host_name, host] : active->document.hosts) {
    if (kind == "listeners" && std::find(host.listeners.begin(), host.listeners.end(), name) != host.listeners.end())
      users.push_back("hosts/" + host_name);
    for (const config::Route& route : host.routes) {
      const bool named = route.upstream == name || (route.split && route.split->upstreams.contains(name));
      if (kind == "upstreams" && named) users.push_back(fmt::format("hosts/{}/routes/{}", host_name, route.name));
    }
  }
  return users;
}

}   // namespace

AdminAnswer get_config(const AdminRequest& request, Context& context) {
  const auto active = context.master.configuration().active();
  if (!active) return problem("not-found", "there is no configuration yet: proxyctl apply -f FILE");
  AdminAnswer answer = json_answer(active->canonical);
  std::string form;
  if (request.flag("source")) {
    form = "source";
    answer.body = active->revision.source;
    answer.content_type = "text/plain; charset=utf-8";
  } else if (request.value("format") == "yaml" ||
             (request.value("format").empty() && is_yaml(request.field("accept")))) {
    form = "yaml";
    answer.body = config::to_yaml(active->canonical);
    answer.content_type = "application/yaml";
  }
  answer.fields["ETag"] = document_tag(active->revision.number, form);
  answer.fields["Proxyd-Revision"] = std::to_string(active->revision.number);
  return answer;
}

AdminAnswer put_config(const AdminRequest& request, Context& context) {
  return change_document(request, context, {"", [&request](const Json&) {
                                              return Proposal{decode_body(request), request.body, std::nullopt};
                                            }});
}

AdminAnswer patch_config(const AdminRequest& request, Context& context) {
  const Body patch = read_json_body(request);
  if (patch.refusal) return *patch.refusal;
  return change_document(request, context, {"", [&patch](Json document) {
                                              document.merge_patch(patch.json);
                                              return Proposal::of(document);
                                            }});
}

AdminAnswer validate_config(const AdminRequest& request, Context&) {
  const config::Decoded decoded = decode_body(request);
  if (!decoded.valid()) return undecodable(decoded);
  return json_answer({{"valid", true}, {"warnings", problems_json(decoded.warnings)}});
}

AdminAnswer diff_config(const AdminRequest& request, Context& context) {
  const config::Decoded decoded = decode_body(request);
  if (!decoded.valid()) return undecodable(decoded);
  const auto active = context.master.configuration().active();
  Json changes = Json::array();
  for (const config::Change& change : config::diff(active ? active->canonical : Json(nullptr), decoded.canonical))
    changes.push_back(change_json(change));
  return json_answer({{"revision", active ? active->revision.number : 0},
                      {"changes", with_provenance(std::move(changes), context)},
                      {"warnings", problems_json(decoded.warnings)}});
}

AdminAnswer get_object(const AdminRequest& request, Context& context) {
  if (!is_kind(request)) return no_kind(request);
  const auto active = context.master.configuration().active();
  Json document = active ? active->canonical : Json::object();
  const Json* object = object_in(document, request, false);
  if (!object) return no_object(request);
  AdminAnswer answer = json_answer(*object);
  answer.fields["ETag"] = object_tag(*active, place_of(request));
  answer.fields["Proxyd-Revision"] = std::to_string(active->revision.number);
  return answer;
}

AdminAnswer put_object(const AdminRequest& request, Context& context) {
  if (!is_kind(request)) return no_kind(request);
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  return change_document(request, context, {place_of(request), [&](Json document) {
                                              *object_in(document, request, true) = body.json;
                                              return Proposal::of(document);
                                            }});
}

AdminAnswer patch_object(const AdminRequest& request, Context& context) {
  if (!is_kind(request)) return no_kind(request);
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  return change_document(request, context, {place_of(request), [&](Json document) {
                                              Json* object = object_in(document, request, false);
                                              if (!object) return Proposal::refused(no_object(request));
                                              object->merge_patch(body.json);
                                              return Proposal::of(document);
                                            }});
}

AdminAnswer delete_object(const AdminRequest& request, Context& context) {
  if (!is_kind(request)) return no_kind(request);
  Json document = active_document(context);
  if (!object_in(document, request, false) && request.flag("missing_ok"))
    return json_answer({{"changes", Json::array()}});
  const std::vector<std::string> users = users_of(request, context);
  if (!users.empty())
    return problem("in-use", fmt::format("'{}' is used by {}", request.parameters.at("name"), fmt::join(users, ", ")),
                   {{"used_by", users}});
  return change_document(request, context, {place_of(request), [&](Json current) {
                                              if (!object_in(current, request, false))
                                                return Proposal::refused(no_object(request));
                                              const auto name = request.parameters.find("name");
                                              const std::string& kind = request.parameters.at("kind");
                                              if (name == request.parameters.end()) {
                                                current.erase(kind);
                                              } else {
                                                current[kind].erase(name->second);
                                              }
                                              return Proposal::of(current);
                                            }});
}

}   // namespace proxyd::admin
