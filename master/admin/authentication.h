#pragma once

#include <optional>
#include <string>
#include <vector>

#include "master/admin/context.h"

namespace proxyd::admin {

// Scopes of a role name (viewer, operator, deployer, admin); a scope stands for itself; nothing for what is neither.
std::vector<std::string> scopes_of(const std::string& role);

// Who sends this request, by what it carries: a bearer token, a session's cookie, or the socket's peer. Nobody is no
// error here; a credential that is wrong is, and counts against the address.
struct Identified {
  Identity identity;
  std::optional<AdminAnswer> refusal;
};
Identified identify(const AdminRequest& request, Context& context);

// Whether the credential of `request` is still good: a stream outlives the look at it.
bool still_valid(const AdminRequest& request, Context& context);

// A mutation borne by a cookie proves that our own page sent it: the session's token, and the browser's word.
std::optional<AdminAnswer> check_origin(const AdminRequest& request);

// A new secret and its record.
struct NewToken {
  std::string text;
  store::Token record;
};
NewToken make_token(const std::string& name, std::vector<std::string> scopes, const std::string& expires);

// What a session's cookie and page hold; only a digest of the cookie is kept.
struct NewSession {
  std::string cookie;
  store::LoginSession record;
};
NewSession make_session(const Identity& identity);
std::string session_cookie(const AdminRequest& request);
std::string csrf_token(const std::string& cookie);
std::string session_digest(const std::string& cookie);

}   // namespace proxyd::admin
