#include "master/admin/authentication.h"

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
const std::vector<std::string> kDeployer = {"read", "metrics", "logs", "purge", "upstreams:runtime", "upstreams:write", "config:write"};
const std::vector<std::string> kAdmin = {"read", "metrics", "logs", "purge", "purge:all", "upstreams:runtime", "upstreams:write", "config:write", "certs:write", "workers", "upgrade", "access"};

bool is_member(uid_t uid, gid_t gid, const std::string& group_name) {
  std::array<char, 16384> room;
  group found{};
  group* result = nullptr;
  if (::getgrnam_r(group_name.c_str(), &found, room.data(), room.size(), &result) != 0 || !result) return false;
  if (result->gr_gid == gid) return true;
  const gid_t wanted = result->gr_gid;
  passwd user{};
  passwd* user_result = nullptr;
  std::array<char, 16384> user_room;
  if (::getpwuid_r(uid, &user, user_room.data(), user_room.size(), &user_result) != 0 || !user_result) return false;
  std::array<gid_t, 256> groups;
  int count = groups.size();
  if (::getgrouplist(user_result->pw_name, user_result->pw_gid, groups.data(), &count) < 0) return false;
  return std::find(groups.begin(), groups.begin() + count, wanted) != groups.begin() + count;
}

std::string user_name(uid_t uid) {
  std::array<char, 16384> room;
  passwd user{};
  passwd* result = nullptr;
  if (::getpwuid_r(uid, &user, room.data(), room.size(), &result) != 0 || !result) return std::to_string(uid);
  return result->pw_name;
}

}  // namespace

std::vector<std::string> scopes_of(const std::string& role) {
  if (role == "viewer") return kViewer;
  if (role == "operator") return kOperator;
  if (role == "deployer") return kDeployer;
  if (role == "admin") return kAdmin;
  return std::find(kAdmin.begin(), kAdmin.end(), role) != kAdmin.end() ? std::vector<std::string>{role} : std::vector<std::string>{};
}

std::optional<Identity> identify_peer(uid_t uid, gid_t gid, const master::Bootstrap& bootstrap) {
  Identity identity{"unix:" + user_name(uid), {}, true};
  if (uid == 0 || uid == ::getuid()) {
    identity.scopes = kAdmin;
    return identity;
  }
  if (!bootstrap.admin_group.empty() && is_member(uid, gid, bootstrap.admin_group)) identity.scopes = kAdmin;
  for (const auto& [group, role] : bootstrap.admin_grants) {
    if (!is_member(uid, gid, group)) continue;
    for (const std::string& scope : scopes_of(role)) {
      if (!identity.may(scope)) identity.scopes.push_back(scope);
    }
  }
  if (identity.scopes.empty()) return std::nullopt;
  return identity;
}

std::optional<Identity> identify_token(const std::string& authorization, Context& context) {
  constexpr std::string_view kScheme = "Bearer pxy_";
  if (authorization.size() > 512 || !authorization.starts_with(kScheme)) return std::nullopt;
  const std::string text = authorization.substr(kScheme.size());
  const size_t separator = text.find('_');
  if (separator == std::string::npos) return std::nullopt;
  const std::string id = text.substr(0, separator);
  const std::string digest = to_hex(sha256(text.substr(separator + 1)));
  const auto tokens = context.master.store().tokens();
  if (!tokens) return std::nullopt;
  const std::string now = rfc3339(std::chrono::system_clock::now());
  std::optional<Identity> identity;
  for (const store::Token& token : *tokens) {
    const bool same = equals_in_constant_time(token.id, id) && equals_in_constant_time(token.digest, digest);
    if (same && (token.expires.empty() || token.expires > now)) identity = Identity{"token:" + token.id, token.scopes, false};
  }
  return identity;
}

NewToken make_token(const std::string& name, std::vector<std::string> scopes, const std::string& expires) {
  std::array<uint8_t, 6> id{};
  std::array<uint8_t, 32> secret{};
  random_bytes(id);
  random_bytes(secret);
  const std::string id_text = to_hex(id);
  const std::string secret_text = to_hex(secret);
  store::Token record{id_text, name, to_hex(sha256(secret_text)), std::move(scopes), rfc3339(std::chrono::system_clock::now()), expires};
  return {"pxy_" + id_text + "_" + secret_text, std::move(record)};
}

}  // namespace proxyd::admin
