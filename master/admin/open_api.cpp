#include "master/admin/open_api.h"

#include <fmt/format.h>

#include <algorithm>

#include "master/admin/query.h"
#include "master/admin/routes.h"

namespace proxyd::admin {
namespace {

Json parameter(std::string_view name, std::string_view place, Json schema) {
  return {{"name", std::string(name)},
          {"in", std::string(place)},
          {"required", place == "path"},
          {"schema", std::move(schema)}};
}

Json parameters_of(const Route& route) {
  Json parameters = Json::array();
  for (size_t at = route.pattern.find('{'); at != std::string_view::npos; at = route.pattern.find('{', at + 1)) {
    parameters.push_back(
        parameter(route.pattern.substr(at + 1, route.pattern.find('}', at) - at - 1), "path", {{"type", "string"}}));
  }
  for (const std::string_view name : route.query)
    parameters.push_back(
        parameter(name, "query", {{"type", "string"}, {"pattern", std::string(pattern_of_parameter(name))}}));
  return parameters;
}

std::string status_text(int status) {
  switch (status) {
    case 200: return "Done";
    case 201: return "Made";
    case 202: return "Begun; see Location";
    case 204: return "Done, nothing to say";
    case 304: return "As it was";
    default: return fmt::format("{}", fmt::join(problems_of_status(status), ", "));
  }
}

Json responses_of(const Route& route) {
  Json responses = Json::object();
  for (const int status : statuses_of(route)) {
    const bool answer = std::find(route.answers.begin(), route.answers.end(), status) != route.answers.end();
    Json content = Json::object();
    for (const std::string_view type : route.produces) {
      if (answer) content[std::string(type)] = Json::object();
    }
    if (!answer && status != 304)
      content["application/problem+json"] = {{"schema", {{"$ref", "#/components/schemas/Problem"}}}};
    Json response{{"description", status_text(status)}};
    if (!content.empty()) response["content"] = std::move(content);
    responses[std::to_string(status)] = std::move(response);
  }
  return responses;
}

Json operation(const Route& route) {
  Json one{{"summary", std::string(route.summary)},
           {"parameters", parameters_of(route)},
           {"responses", responses_of(route)}};
  if (route.takes_body()) {
    Json content{{"application/json", Json::object()}};
    if (route.method == "PATCH") content["application/merge-patch+json"] = Json::object();
    if (route.takes_yaml()) content["application/yaml"] = Json::object();
    one["requestBody"] = {{"content", std::move(content)}};
  }
  one["security"] =
      route.open ? Json::array() : Json::array({{{"token", Json::array()}}, {{"session", Json::array()}}});
  if (!route.scope.empty()) one["x-scope"] = std::string(route.scope);
  return one;
}

Json problem_schema() {
  const Json text{{"type", "string"}};
  const Json number{{"type", "integer"}};
  const Json error{{"type", "object"},
                   {"required", {"pointer", "code", "message"}},
                   {"properties",
                    {{"pointer", text},
                     {"line", number},
                     {"column", number},
                     {"code", text},
                     {"message", text},
                     {"suggestion", text}}}};
  return {{"type", "object"},
          {"required", {"type", "title", "status", "request_id"}},
          {"properties",
           {{"type", text},
            {"title", text},
            {"status", number},
            {"detail", text},
            {"request_id", text},
            {"errors", {{"type", "array"}, {"items", error}}}}}};
}

}   // namespace

Json open_api() {
  Json paths = Json::object();
  for (const Route& route : routes()) {
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(c + 32);
    paths[std::string(route.pattern)][method] = operation(route);
  }
  const Json schemes{{"token", {{"type", "http"}, {"scheme", "bearer"}}},
                     {"session", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "proxyd_session"}}}};
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "proxyd admin API"}, {"version", "1"}}},
          {"paths", std::move(paths)},
          {"components", {{"schemas", {{"Problem", problem_schema()}}}, {"securitySchemes", schemes}}}};
}

}   // namespace proxyd::admin
