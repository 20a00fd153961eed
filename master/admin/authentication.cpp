#include "master/admin/authentication.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "shared/base/bytes.h"
#include "shared/base/digest.h"

namespace proxyd::admin {
namespace {

const std::vector<std::string> kViewer = {"read", "metrics", "logs"};
const std::vector<std::string> kOperator = {"read", "metrics", "logs", "purge", "upstreams:runtime"};
const std::vector<std::string> kDeployer = {
    "read", "metrics", "logs", "purge", "upstreams:runtime", "upstreams:write", "config:write"};
const std::vector<std::string> kAdmin = {
    "read",         "metrics",     "logs",    "purge",   "purge:all", "upstreams:runtime", "upstreams:write",
    "config:write", "certs:write", "workers", "upgrade", "access"};
constexpr auto kSessionLifetime = std::chrono::hours(12);
constexpr std::string_view kCookie = "proxyd_session=";

std::string now_text() { return rfc3339(std::chrono::system_clock::now()); }

std::optional<gid_t> group_number(const std::string& name) {
  std::array<char, 16384> room;
  group found{};
  group* result = nullptr;
  if (::getgrnam_r(name.c_str(), &found, room.data(), room.size(), &result) != 0 || !result) return std::nullopt;
  return result->gr_gid;
}

std::string user_name(uid_t uid) {
  std::array<char, 16384> room;
  passwd user{};
  passwd* result = nullptr;
  if (::getpwuid_r(uid, &user, room.data(), room.size(), &result) != 0 || !result) return std::to_string(uid);
  return result->pw_name;
}

AdminAnswer too_many(std::chrono::seconds wait) {
  AdminAnswer answer = problem("too-many", "10 failed logins in 5 minutes from this address");
  answer.fields["Retry-After"] = std::to_string(wait.count());
  return answer;
}

// Root and the daemon's own uid are admin, groups as the bootstrap grants.
Identified identify_peer(const Peer& peer, const master::Bootstrap& bootstrap) {
  Identity identity{Identity::Kind::kPeer, "unix:" + user_name(peer.uid), {}, ""};
  if (peer.uid == 0 || peer.uid == ::getuid()) {
    identity.scopes = kAdmin;
    return {std::move(identity), std::nullopt};
  }
  std::string groups;
  for (const auto& [name, role] : bootstrap.admin_grants) {
    groups += (groups.empty() ? "" : ", ") + name;
    const auto number = group_number(name);
    if (!number || std::find(peer.groups.begin(), peer.groups.end(), *number) == peer.groups.end()) continue;
    for (const std::string& scope : scopes_of(role)) {
      if (!identity.may(scope)) identity.scopes.push_back(scope);
    }
  }
  if (!identity.scopes.empty()) return {std::move(identity), std::nullopt};
  return {
      {},
      problem("forbidden", fmt::format("{} is in none of the groups that may use this socket: {} (admin.unix.grants)",
                                       identity.name, groups.empty() ? "none is granted" : groups))};
}

// Every token is compared, each in constant time, whatever is found.
Identified identify_token(const AdminRequest& request, Context& context) {
  constexpr std::string_view kScheme = "bearer pxy_";
  const auto tokens = context.master.store().tokens();
  if (!tokens) return {{}, problem("store-busy", tokens.error().message)};
  const std::string given = request.field("authorization");
  const bool has_form = given.size() <= 512 && equals_ignoring_case(given.substr(0, kScheme.size()), kScheme);
  const std::string text = has_form ? given.substr(kScheme.size()) : "";
  const size_t separator = std::min(text.find('_'), text.size());
  const std::string id = text.substr(0, separator);
  const std::string digest = to_hex(sha256(separator < text.size() ? text.substr(separator + 1) : ""));
  const std::string now = now_text();
  Identity identity;
  for (const store::Token& token : *tokens) {
    const bool same_id = equals_in_constant_time(token.id, id);
    const bool same_secret = equals_in_constant_time(token.digest, digest);
    if (same_id && same_secret && (token.expires.empty() || token.expires > now))
      identity = {Identity::Kind::kToken, "token:" + token.id, token.scopes, token.expires};
  }
  if (identity.known()) return {std::move(identity), std::nullopt};
  return {{}, problem("unauthenticated", "the token is wrong, expired or revoked")};
}

Identified identify_session(const std::string& cookie, Context& context) {
  const auto session = context.master.store().session(session_digest(cookie));
  if (!session) return {{}, problem("store-busy", session.error().message)};
  if (!*session || (*session)->expires <= now_text()) return {};
  return {{Identity::Kind::kSession, (*session)->name, (*session)->scopes, (*session)->expires}, std::nullopt};
}

}   // namespace

std::vector<std::string> scopes_of(const std::string& role) {
  if (role == "viewer") return kViewer;
  if (role == "operator") return kOperator;
  if (role == "deployer") return kDeployer;
  if (role == "admin") return kAdmin;
  return std::find(kAdmin.begin(), kAdmin.end(), role) != kAdmin.end() ? std::vector<std::string>{role}
                                                                       : std::vector<std::string>{};
}

Identified identify(const AdminRequest& request, Context& context) {
  const bool secret_in_query = request.query_text.find("pxy_") != std::string::npos;
  if (request.fields.contains("authorization") || secret_in_query) {
    if (const auto wait = context.failed_logins.wait_for(request.peer, Clock::now()); wait.count() > 0)
      return {{}, too_many(wait)};
    Identified found =
        secret_in_query
            ? Identified{{},
                         problem("unauthenticated",
                                 "a token goes into Authorization, never into the URL, where logs keep it: revoke it")}
            : identify_token(request, context);
    if (found.refusal && found.refusal->status == 401) context.failed_logins.note(request.peer, Clock::now());
    return found;
  }
  if (request.credentials) return identify_peer(*request.credentials, context.master.bootstrap());
  const std::string cookie = session_cookie(request);
  return cookie.empty() ? Identified{} : identify_session(cookie, context);
}

bool still_valid(const AdminRequest& request, Context& context) {
  if (request.identity.kind == Identity::Kind::kToken) {
    const Identified found = identify_token(request, context);
    return found.identity.may("read") || (found.refusal && found.refusal->status == 503);
  }
  if (request.identity.kind == Identity::Kind::kSession) {
    const Identified found = identify_session(session_cookie(request), context);
    return found.identity.known() || (found.refusal && found.refusal->status == 503);
  }
  return true;
}

std::optional<AdminAnswer> check_origin(const AdminRequest& request) {
  if (request.identity.kind != Identity::Kind::kSession || request.method == "GET" || request.method == "HEAD")
    return std::nullopt;
  if (!equals_in_constant_time(request.field("x-csrf-token"), csrf_token(session_cookie(request))))
    return problem("csrf", "X-CSRF-Token is not that of this session: see GET /api/v1/session");
  const std::string site = request.field("sec-fetch-site");
  const std::string origin = request.field("origin");
  const bool same =
      site.empty() ? equals_ignoring_case(origin, "http://" + request.field("host")) : site == "same-origin";
  if (!same) return problem("csrf", "the request comes from another site: neither Sec-Fetch-Site nor Origin says ours");
  return std::nullopt;
}

NewToken make_token(const std::string& name, std::vector<std::string> scopes, const std::string& expires) {
  std::array<uint8_t, 6> id{};
  std::array<uint8_t, 32> secret{};
  random_bytes(id);
  random_bytes(secret);
  const std::string id_text = to_hex(id);
  const std::string secret_text = to_hex(secret);
  store::Token record{id_text, name, to_hex(sha256(secret_text)), std::move(scopes), now_text(), expires};
  return {"pxy_" + id_text + "_" + secret_text, std::move(record)};
}

NewSession make_session(const Identity& identity) {
  std::array<uint8_t, 32> secret{};
  random_bytes(secret);
  const std::string cookie = to_base64url(secret);
  const std::string name = "session:" + identity.name.substr(identity.name.find(':') + 1);
  return {cookie,
          {session_digest(cookie), name, identity.scopes, now_text(),
           rfc3339(std::chrono::system_clock::now() + kSessionLifetime)}};
}

std::string session_cookie(const AdminRequest& request) {
  const std::string all = request.field("cookie");
  for (size_t at = 0; at < all.size();) {
    const size_t end = std::min(all.find(';', at), all.size());
    const size_t begin = std::min(all.find_first_not_of(' ', at), end);
    const std::string_view one = std::string_view(all).substr(begin, end - begin);
    if (one.starts_with(kCookie)) return std::string(one.substr(kCookie.size()));
    at = end + 1;
  }
  return {};
}

// Apart, so that neither tells the other.
std::string csrf_token(const std::string& cookie) { return to_hex(sha256("csrf " + cookie)); }
std::string session_digest(const std::string& cookie) { return to_hex(sha256("session " + cookie)); }

}   // namespace proxyd::admin
