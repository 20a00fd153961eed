#include <fmt/format.h>

#include "master/admin/authentication.h"
#include "master/admin/body_fields.h"
#include "master/admin/resources/handlers.h"

namespace proxyd::admin {
namespace {

constexpr size_t kMostSessions = 1000;

Json session_json(const Identity& identity, const std::string& cookie) {
  return {{"name", identity.name},
          {"scopes", identity.scopes},
          {"expires", identity.expires.empty() ? Json(nullptr) : Json(identity.expires)},
          {"csrf_token", cookie.empty() ? Json(nullptr) : Json(csrf_token(cookie))}};
}

std::string cookie_field(const std::string& value, int64_t seconds) {
  return fmt::format("proxyd_session={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}", value, seconds);
}

}   // namespace

// For the peer of the socket alone: a token must not become a session that outlives it.
AdminAnswer create_login_code(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  if (auto refused = BodyFields(body.json).refusal()) return *refused;
  if (request.identity.kind != Identity::Kind::kPeer)
    return problem("forbidden", "login codes are made on the unix socket, by its peer: sudo proxyctl ui login");
  const std::string& address = context.master.bootstrap().admin_address;
  const std::string code = context.login_codes.make(request.identity, Clock::now());
  Json json{
      {"code", code}, {"expires", rfc3339(std::chrono::system_clock::now() + LoginCodes::kLifetime)}, {"url", nullptr}};
  if (address != "off")
    json["url"] = fmt::format("http://{}/#login={}", address, code);   // a fragment never reaches a log
  return json_answer(json, 201);
}

AdminAnswer create_session(const AdminRequest& request, Context& context) {
  if (const auto wait = context.failed_logins.wait_for(request.peer, Clock::now()); wait.count() > 0) {
    AdminAnswer refused = problem("too-many", "10 failed logins in 5 minutes from this address");
    refused.fields["Retry-After"] = std::to_string(wait.count());
    return refused;
  }
  const std::string site = request.field("sec-fetch-site");
  if (!site.empty() && site != "same-origin") return problem("csrf", "another site may not log you in");
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  BodyFields fields(body.json);
  const auto code = fields.text("code", 128);
  if (!code) fields.fault("code", "missing", "code is missing: proxyctl ui login makes one");
  if (auto refused = fields.refusal()) return *refused;
  const auto identity = context.login_codes.redeem(*code, Clock::now());
  if (!identity) {
    context.failed_logins.note(request.peer, Clock::now());
    return problem("unauthenticated", "the code is wrong, used or older than 60 s");
  }
  const NewSession made = make_session(*identity);
  const auto added = context.master.store().add_session(made.record, kMostSessions);
  if (!added)
    return problem(added.error().kind == store::Failure::Kind::kFull ? "store-full" : "store-busy",
                   added.error().message);
  AdminAnswer answer = json_answer(
      session_json({Identity::Kind::kSession, made.record.name, made.record.scopes, made.record.expires}, made.cookie),
      201);
  answer.fields["Set-Cookie"] = cookie_field(made.cookie, 12 * 3600);
  return answer;
}

AdminAnswer get_session(const AdminRequest& request, Context&) {
  const bool by_cookie = request.identity.kind == Identity::Kind::kSession;
  return json_answer(session_json(request.identity, by_cookie ? session_cookie(request) : ""));
}

AdminAnswer delete_session(const AdminRequest& request, Context& context) {
  if (request.identity.kind != Identity::Kind::kSession)
    return problem("not-found", "this is no session: a token is revoked, a peer of the socket stays one");
  const auto removed = context.master.store().remove_session(session_digest(session_cookie(request)));
  if (!removed) return problem("store-busy", removed.error().message);
  AdminAnswer answer = json_answer({{"logged_out", true}});
  answer.fields["Set-Cookie"] = cookie_field("", 0);
  return answer;
}

}   // namespace proxyd::admin
