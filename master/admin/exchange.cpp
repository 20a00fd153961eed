#include "master/admin/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "shared/base/bytes.h"
#include "shared/base/digest.h"
#include "shared/config/node.h"
#include "shared/config/units.h"

namespace proxyd::admin {
namespace {

struct Code {
  std::string_view code;
  int status;
  std::string_view title;
};

constexpr std::array<Code, 33> kCodes = {{
    {"malformed", 400, "The request cannot be read"},
    {"unknown-parameter", 400, "Unknown query parameter"},
    {"unauthenticated", 401, "Not logged in"},
    {"forbidden", 403, "Not allowed"},
    {"csrf", 403, "Cross-site request refused"},
    {"read-only", 403, "The admin API is read-only"},
    {"not-found", 404, "Not found"},
    {"method", 405, "Method not allowed"},
    {"not-acceptable", 406, "Not acceptable"},
    {"media-type", 415, "Unsupported media type"},
    {"already-exists", 409, "Already exists"},
    {"in-use", 409, "In use"},
    {"last-target", 409, "The last target"},
    {"not-drained", 409, "Not idle in time"},
    {"not-dynamic", 409, "The targets are declared"},
    {"config-managed-by-file", 409, "The configuration is managed by a file"},
    {"upgrade-in-progress", 409, "An upgrade is in progress"},
    {"unconfirmed-revision", 409, "A revision waits to be confirmed"},
    {"confirmation-required", 409, "Confirmation required"},
    {"changed-meanwhile", 412, "Changed meanwhile"},
    {"precondition-required", 428, "If-Match is required"},
    {"too-large", 413, "Too large"},
    {"misdirected", 421, "Not this server's name"},
    {"too-many", 429, "Too many attempts"},
    {"invalid", 422, "Not valid"},
    {"activation-failed", 422, "A worker could not take it over"},
    {"store-busy", 503, "The store is busy"},
    {"cache-busy", 503, "The cache is busy"},
    {"handing-over", 503, "Handing over"},
    {"too-many-streams", 503, "Too many streams"},
    {"worker-timeout", 504, "No worker answered"},
    {"store-full", 507, "The store is full"},
    {"internal", 500, "The server failed"},
}};

const Code& code_named(std::string_view code) {
  const auto found = std::find_if(kCodes.begin(), kCodes.end(), [code](const Code& one) { return one.code == code; });
  return found == kCodes.end() ? kCodes.back() : *found;
}

// No object of a document has half as many. Looking a member up takes time by their number.
constexpr size_t kMostMembers = 8192;

bool has_room(const config::Node& node) {
  return node.members.size() <= kMostMembers &&
         std::all_of(node.members.begin(), node.members.end(), [](const auto& one) { return has_room(one.value); }) &&
         std::all_of(node.items.begin(), node.items.end(), has_room);
}

Json to_json(const config::Node& node) {
  using Kind = config::Node::Kind;
  switch (node.kind) {
    case Kind::kMap: {
      Json::object_t map;   // no key comes twice, so none is looked for
      for (const config::Member& member : node.members)
        static_cast<Json::object_t::Container&>(map).emplace_back(member.key.text, to_json(member.value));
      return Json(std::move(map));
    }
    case Kind::kList: {
      Json list = Json::array();
      for (const config::Node& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case Kind::kText: return node.text;
    case Kind::kNull: return nullptr;
    default: return Json::parse(node.text, nullptr, false);
  }
}

}   // namespace

bool Identity::may(std::string_view scope) const {
  const auto has = [this](std::string_view one) {
    return std::find(scopes.begin(), scopes.end(), one) != scopes.end();
  };
  return scope.empty() || has(scope) || (scope == "purge" && has("purge:all"));
}

milliseconds AdminRequest::duration(const std::string& name, milliseconds usual, milliseconds most) const {
  const auto given = config::parse_duration(value(name));   // the front has seen that it is one
  return std::min(given ? milliseconds(*given) : usual, most);
}

AdminAnswer json_answer(const Json& json, int status) {
  AdminAnswer answer;
  answer.status = status;
  answer.body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return answer;
}

std::optional<int> status_of_problem(std::string_view code) {
  const Code& found = code_named(code);
  return found.code == code ? std::optional(found.status) : std::nullopt;
}

std::string title_of_problem(std::string_view code) { return std::string(code_named(code).title); }

std::vector<std::string> problems_of_status(int status) {
  std::vector<std::string> codes;
  for (const Code& one : kCodes) {
    if (one.status == status) codes.emplace_back(one.code);
  }
  return codes;
}

AdminAnswer problem(const std::string& code, const std::string& detail, Json more) {
  const Code& found = code_named(code);
  uint8_t id[8];
  random_bytes(id);
  Json body{{"type", "/api/v1/problems/" + std::string(found.code)},
            {"title", std::string(found.title)},
            {"status", found.status}};
  if (found.status < 500) {
    body["detail"] = detail;
    body.update(more);
  }
  body["request_id"] = to_hex(id);
  AdminAnswer answer = json_answer(body, found.status);
  answer.content_type = "application/problem+json";
  answer.request_id = body["request_id"].get<std::string>();
  answer.why = detail;
  if (found.status == 401) answer.fields["WWW-Authenticate"] = "Bearer";
  if (found.status == 503) answer.fields["Retry-After"] = "1";
  return answer;
}

AdminAnswer invalid(const std::string& pointer, const std::string& code, const std::string& message) {
  return problem("invalid", message, {{"errors", problems_json({{pointer, 0, 0, code, message, ""}})}});
}

Json problems_json(const std::vector<config::Problem>& problems) {
  Json all = Json::array();
  for (const config::Problem& one : problems) {
    Json item{{"pointer", one.pointer}, {"code", one.code}, {"message", one.message}};
    if (one.line > 0) item["line"] = one.line;
    if (one.column > 0) item["column"] = one.column;
    if (!one.suggestion.empty()) item["suggestion"] = one.suggestion;
    all.push_back(std::move(item));
  }
  return all;
}

Body read_json_body(const AdminRequest& request) {
  Body body{Json::object(), std::nullopt};
  if (request.body.empty() && request.method == "POST") return body;
  config::Read read = config::read_json(request.body);
  if (!read.problems.empty()) {
    body.refusal = problem("malformed", read.problems.front().message, {{"errors", problems_json(read.problems)}});
    return body;
  }
  if (!has_room(read.root)) {
    body.refusal = invalid("", "range", fmt::format("an object has at most {} members", kMostMembers));
    return body;
  }
  body.json = to_json(read.root);
  if (!body.json.is_object()) body.refusal = invalid("", "type", "the body must be an object");
  return body;
}

}   // namespace proxyd::admin
