#include <fmt/format.h>

#include <algorithm>

#include "master/admin/authentication.h"
#include "master/admin/body_fields.h"
#include "master/admin/change.h"
#include "master/admin/page.h"
#include "master/admin/resources/handlers.h"
#include "shared/config/units.h"

namespace proxyd::admin {
namespace {

constexpr size_t kMostTokens = 1000;
constexpr milliseconds kUsualLife = std::chrono::hours(24 * 90);
constexpr milliseconds kLongestLife = std::chrono::hours(24 * 3650);

Json to_json(const store::Token& token) {
  return {{"id", token.id},
          {"name", token.name},
          {"scopes", token.scopes},
          {"created", token.created},
          {"expires", token.expires.empty() ? Json(nullptr) : Json(token.expires)}};
}

// What the body asks for, by name and role; each only if the one who asks has it too.
std::vector<std::string> scopes_in(BodyFields& fields) {
  std::vector<std::string> scopes;
  const Json* given = fields.any("scopes");
  if (!given || !given->is_array() || given->empty()) {
    fields.fault("scopes", "missing", "scopes is a list of scopes or of viewer, operator, deployer, admin");
    return scopes;
  }
  for (const Json& one : *given) {
    const auto named = one.is_string() ? scopes_of(one.get<std::string>()) : std::vector<std::string>{};
    if (named.empty())
      fields.fault(
          "scopes", "value",
          fmt::format("{} is no scope or role", one.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 64)));
    for (const std::string& scope : named) {
      if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) scopes.push_back(scope);
    }
  }
  return scopes;
}

// "90d" unless said; "off" lifts it.
std::string expiry_in(BodyFields& fields) {
  const Json* given = fields.any("expires");
  if (given && *given == "off") return {};
  const auto lifetime = fields.duration("expires", milliseconds(1000), kLongestLife);
  return rfc3339(std::chrono::system_clock::now() + lifetime.value_or(kUsualLife));
}

}   // namespace

AdminAnswer list_tokens(const AdminRequest& request, Context& context) {
  auto tokens = context.master.store().tokens();
  if (!tokens) return store_answer(tokens.error());
  std::sort(tokens->begin(), tokens->end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  Json items = Json::array();
  for (const store::Token& token : *tokens) items.push_back(to_json(token));
  return page_answer(request, items, "id");
}

// { "name", "scopes": [scope or role], "expires": "90d" }; the secret is in this answer alone.
AdminAnswer create_token(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  BodyFields fields(body.json);
  const std::string name = fields.text("name").value_or("");
  if (!name.empty() && !is_name(name)) fields.fault("name", "name", "name is [A-Za-z0-9._-]{1,64}");
  std::vector<std::string> scopes = scopes_in(fields);
  const std::string expires = expiry_in(fields);
  if (auto refused = fields.refusal()) return *refused;
  for (const std::string& scope : scopes) {
    if (!request.identity.may(scope))
      return problem("forbidden", fmt::format("you do not have the scope '{}' yourself", scope));
  }
  const auto existing = context.master.store().tokens();
  if (!existing) return store_answer(existing.error());
  if (existing->size() >= kMostTokens) return invalid("", "range", "there are 1,000 tokens already; revoke some");
  const NewToken made = make_token(name, std::move(scopes), expires);
  Json json = to_json(made.record);
  if (request.dry_run()) {
    json.erase("id");
    return json_answer(json);
  }
  const auto added = context.master.store().add_token(made.record);
  if (!added) return store_answer(added.error());
  json["token"] = made.text;
  return json_answer(json, 201);
}

AdminAnswer revoke_token(const AdminRequest& request, Context& context) {
  const std::string& id = request.parameters.at("id");
  const auto tokens = context.master.store().tokens();
  if (!tokens) return store_answer(tokens.error());
  const bool there =
      std::any_of(tokens->begin(), tokens->end(), [&id](const store::Token& token) { return token.id == id; });
  if (!there && !request.flag("missing_ok")) return problem("not-found", fmt::format("there is no token '{}'", id));
  if (there && !request.dry_run()) {
    const auto removed = context.master.store().remove_token(id);
    if (!removed) return store_answer(removed.error());
  }
  return json_answer({{"id", id}, {"revoked", there}});
}

AdminAnswer list_audit(const AdminRequest& request, Context& context) {
  const PieceRequest page = piece_of(request);
  if (page.refusal) return *page.refusal;
  const auto entries = context.master.store().audit(page.after, page.limit + 1);
  if (!entries) return store_answer(entries.error());
  Json items = Json::array();
  for (const store::AuditEntry& one : *entries) {
    if (items.size() < page.limit)
      items.push_back({{"number", one.number},
                       {"time", one.time},
                       {"author", one.author},
                       {"action", one.action},
                       {"status", one.status},
                       {"detail", one.detail}});
  }
  const bool more = entries->size() > page.limit;
  const std::optional<std::string> last = more ? std::optional(items.back()["number"].dump()) : std::nullopt;
  return json_answer(page_json(std::move(items), last));
}

}   // namespace proxyd::admin
