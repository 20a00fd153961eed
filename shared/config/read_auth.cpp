#include "shared/config/read_auth.h"

#include "shared/config/json_read.h"

namespace proxyd::config {
namespace {

BasicAuth read_basic(const Json& json) {
  BasicAuth basic;
  basic.realm = value_or(json, "realm", basic.realm);
  basic.users_file = value_or(json, "users_file", basic.users_file);
  return basic;
}

JwtAuth read_jwt(const Json& json) {
  JwtAuth jwt;
  jwt.issuer = maybe<std::string>(json, "issuer");
  jwt.audience = value_or(json, "audience", jwt.audience);
  jwt.algorithms = value_or(json, "algorithms", jwt.algorithms);
  jwt.jwks_file = value_or(json, "jwks_file", jwt.jwks_file);
  jwt.leeway = duration_or(json, "leeway", jwt.leeway).value_or(jwt.leeway);
  jwt.forward = value_or(json, "forward", jwt.forward);
  return jwt;
}

}   // namespace

Auth read_auth(const Json& json) {
  Auth auth;
  if (const Json* basic = member(json, "basic")) auth.basic = read_basic(*basic);
  if (const Json* jwt = member(json, "jwt")) auth.jwt = read_jwt(*jwt);
  return auth;
}

}   // namespace proxyd::config
