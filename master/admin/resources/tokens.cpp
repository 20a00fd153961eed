#include <fmt/format.h>

#include "master/admin/authentication.h"
#include "master/admin/resources/handlers.h"
#include "shared/config/units.h"

namespace proxyd::admin {
namespace {

constexpr size_t kMostTokens = 1000;
constexpr size_t kMostListed = 200;

Json to_json(const store::Token& token) {
  return {{"id", token.id}, {"name", token.name}, {"scopes", token.scopes}, {"created", token.created}, {"expires", token.expires.empty() ? Json(nullptr) : Json(token.expires)}};
}

}  // namespace

AdminAnswer list_tokens(const AdminRequest&, Context& context) {
  const auto tokens = context.master.store().tokens();
  if (!tokens) return problem("store-busy", tokens.error().message);
  Json items = Json::array();
  for (const store::Token& token : *tokens) items.push_back(to_json(token));
  return json_answer({{"items", std::move(items)}, {"next_cursor", nullptr}});
}

// { "name", "scopes": [scope or role], "expires": "90d" }; the secret is in this answer alone.
AdminAnswer create_token(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  std::vector<std::string> scopes;
  for (const auto& scope : body.json.value("scopes", Json::array())) {
    const auto named = scope.is_string() ? scopes_of(scope.get<std::string>()) : std::vector<std::string>{};
    if (named.empty()) return problem("invalid", fmt::format("{} is no scope or role", scope.dump()), {{"errors", Json::array()}});
    scopes.insert(scopes.end(), named.begin(), named.end());
  }
  if (scopes.empty()) return problem("invalid", "scopes are missing", {{"errors", Json::array()}});
  const auto lifetime = config::parse_duration(body.json.value("expires", "90d"));
  if (!lifetime) return problem("invalid", "expires is a duration, as \"90d\"", {{"errors", Json::array()}});
  const auto existing = context.master.store().tokens();
  if (existing && existing->size() >= kMostTokens) return problem("invalid", "there are 1,000 tokens already; revoke some", {{"errors", Json::array()}});
  const std::string expires = rfc3339(std::chrono::system_clock::now() + milliseconds(*lifetime));
  const NewToken made = make_token(body.json.value("name", ""), std::move(scopes), expires);
  if (!request.dry_run()) {
    const auto added = context.master.store().add_token(made.record);
    if (!added) return problem("store-busy", added.error().message);
  }
  Json json = to_json(made.record);
  if (!request.dry_run()) json["token"] = made.text;
  return json_answer(json, 201);
}

AdminAnswer revoke_token(const AdminRequest& request, Context& context) {
  const std::string& id = request.parameters.at("id");
  const auto removed = context.master.store().remove_token(id);
  if (!removed) return problem("store-busy", removed.error().message);
  if (!*removed && request.value("missing_ok") != "true") return problem("not-found", fmt::format("there is no token '{}'", id));
  return json_answer({{"id", id}, {"revoked", true}});
}

AdminAnswer list_audit(const AdminRequest& request, Context& context) {
  const std::string cursor = request.value("cursor", "0");
  if (cursor.find_first_not_of("0123456789") != std::string::npos || cursor.size() > 15) return problem("malformed", "cursor is what next_cursor said");
  const auto entries = context.master.store().audit(std::stoull(cursor), kMostListed);
  if (!entries) return problem("store-busy", entries.error().message);
  Json items = Json::array();
  for (const store::AuditEntry& one : *entries) items.push_back({{"number", one.number}, {"time", one.time}, {"author", one.author}, {"action", one.action}, {"status", one.status}, {"detail", one.detail}});
  const bool more = entries->size() == kMostListed;
  return json_answer({{"items", std::move(items)}, {"next_cursor", more ? Json(std::to_string(entries->back().number)) : Json(nullptr)}});
}

}  // namespace proxyd::admin
