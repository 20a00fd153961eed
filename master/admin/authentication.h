#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "master/admin/context.h"

namespace proxyd::admin {

// Scopes of a role name (viewer, operator, deployer, admin); a scope stands for itself; nothing for what is neither.
std::vector<std::string> scopes_of(const std::string& role);

// The peer of a unix socket (SO_PEERCRED): root and the daemon's own uid are admin, groups as the bootstrap grants.
std::optional<Identity> identify_peer(uid_t uid, gid_t gid, const master::Bootstrap& bootstrap);

// A bearer token `pxy_<id>_<secret>`: looked up by its id, compared by digest in constant time.
std::optional<Identity> identify_token(const std::string& authorization, Context& context);

// A new secret and its record.
struct NewToken {
  std::string text;
  store::Token record;
};
NewToken make_token(const std::string& name, std::vector<std::string> scopes, const std::string& expires);

}  // namespace proxyd::admin
