#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "master/admin/change.h"
#include "master/admin/resources/handlers.h"

namespace proxyd::admin {
namespace {

constexpr std::array<std::string_view, 3> kNamedKinds = {"listeners", "upstreams", "hosts"};
constexpr std::array<std::string_view, 2> kSingleKinds = {"defaults", "logging"};

bool is_yaml(const std::string& type) { return type.find("yaml") != std::string::npos; }

config::Decoded decode_body(const AdminRequest& request) {
  return config::decode(request.body, is_yaml(request.content_type) ? config::Format::kYaml : config::Format::kJson);
}

bool is_kind(const AdminRequest& request) {
  const auto kind = request.parameters.find("kind");
  if (kind == request.parameters.end()) return false;
  const bool named = request.parameters.contains("name");
  const auto among = [&](const auto& kinds) { return std::find(kinds.begin(), kinds.end(), kind->second) != kinds.end(); };
  return named ? among(kNamedKinds) : among(kSingleKinds);
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
  return problem("not-found", name == request.parameters.end() ? "there is no such part of the document" : fmt::format("there is no '{}' among the {}", name->second, request.parameters.at("kind")));
}

std::string object_tag(const AdminRequest& request, Context& context) {
  const auto active = context.master.configuration().active();
  const auto name = request.parameters.find("name");
  const uint64_t revision = active ? active->revision.number : 0;
  return fmt::format("\"{}@r{}\"", name == request.parameters.end() ? request.parameters.at("kind") : name->second, revision);
}

// Who names an upstream or a listener, so that it cannot go.
std::vector<std::string> users_of(const AdminRequest& request, Context& context) {
  std::vector<std::string> users;
  const auto active = context.master.configuration().active();
  const std::string& kind = request.parameters.at("kind");
  const std::string& name = request.parameters.at("name");
  if (!active) return users;
  for (const auto& [host_name, host] : active->document.hosts) {
    if (kind == "listeners" && std::find(host.listeners.begin(), host.listeners.end(), name) != host.listeners.end()) users.push_back("hosts/" + host_name);
    for (const config::Route& route : host.routes) {
      const bool named = route.upstream == name || (route.split && route.split->upstreams.contains(name));
      if (kind == "upstreams" && named) users.push_back(fmt::format("hosts/{}/routes/{}", host_name, route.name));
    }
  }
  return users;
}

}  // namespace

AdminAnswer get_config(const AdminRequest& request, Context& context) {
  const auto active = context.master.configuration().active();
  if (!active) return problem("not-found", "there is no configuration yet");
  AdminAnswer answer = json_answer(active->canonical);
  if (request.value("source") == "true") {
    answer.body = active->revision.source;
    answer.content_type = "text/plain; charset=utf-8";
  } else if (request.value("format") == "yaml" || is_yaml(request.accept)) {
    answer.body = config::to_yaml(active->canonical);
    answer.content_type = "application/yaml";
  }
  answer.fields["ETag"] = document_tag(active->revision.number);
  answer.fields["Proxyd-Revision"] = std::to_string(active->revision.number);
  return answer;
}

AdminAnswer put_config(const AdminRequest& request, Context& context) {
  return change_document(request, context, decode_body(request), request.body);
}

AdminAnswer patch_config(const AdminRequest& request, Context& context) {
  const Body patch = read_json_body(request);
  if (patch.refusal) return *patch.refusal;
  Json document = active_document(context);
  merge_patch(document, patch.json);
  return change_document(request, context, document);
}

AdminAnswer validate_config(const AdminRequest& request, Context&) {
  const config::Decoded decoded = decode_body(request);
  if (!decoded.valid()) return problem(decoded.syntax_ok ? "invalid" : "malformed", decoded.problems.front().message, {{"errors", problems_json(decoded.problems)}});
  return json_answer({{"valid", true}, {"warnings", problems_json(decoded.warnings)}});
}

AdminAnswer diff_config(const AdminRequest& request, Context& context) {
  const config::Decoded decoded = decode_body(request);
  if (!decoded.valid()) return problem(decoded.syntax_ok ? "invalid" : "malformed", decoded.problems.front().message, {{"errors", problems_json(decoded.problems)}});
  const auto active = context.master.configuration().active();
  Json changes = Json::array();
  for (const config::Change& change : config::diff(active ? active->canonical : Json(nullptr), decoded.canonical)) changes.push_back(change_json(change));
  return json_answer({{"revision", active ? active->revision.number : 0}, {"changes", std::move(changes)}, {"warnings", problems_json(decoded.warnings)}});
}

AdminAnswer get_object(const AdminRequest& request, Context& context) {
  if (!is_kind(request)) return problem("not-found", "there is no such kind of object");
  Json document = active_document(context);
  const Json* object = object_in(document, request, false);
  if (!object) return no_object(request);
  AdminAnswer answer = json_answer(*object);
  answer.fields["ETag"] = object_tag(request, context);
  return answer;
}

AdminAnswer put_object(const AdminRequest& request, Context& context) {
  if (!is_kind(request)) return problem("not-found", "there is no such kind of object");
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  Json document = active_document(context);
  if (request.if_none_match == "*" && object_in(document, request, false)) return problem("already-exists", "there is one of that name already");
  *object_in(document, request, true) = body.json;
  return change_document(request, context, document);
}

AdminAnswer patch_object(const AdminRequest& request, Context& context) {
  if (!is_kind(request)) return problem("not-found", "there is no such kind of object");
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  Json document = active_document(context);
  Json* object = object_in(document, request, false);
  if (!object) return no_object(request);
  merge_patch(*object, body.json);
  return change_document(request, context, document);
}

AdminAnswer delete_object(const AdminRequest& request, Context& context) {
  if (!is_kind(request)) return problem("not-found", "there is no such kind of object");
  Json document = active_document(context);
  if (!object_in(document, request, false)) {
    return request.value("missing_ok") == "true" ? json_answer({{"changes", Json::array()}}) : no_object(request);
  }
  const std::string& kind = request.parameters.at("kind");
  const auto name = request.parameters.find("name");
  if (name == request.parameters.end()) {
    document.erase(kind);
    return change_document(request, context, document);
  }
  const std::vector<std::string> users = users_of(request, context);
  if (!users.empty()) return problem("in-use", fmt::format("'{}' is used by {}", name->second, fmt::join(users, ", ")), {{"used_by", users}});
  document[kind].erase(name->second);
  return change_document(request, context, document);
}

}  // namespace proxyd::admin
