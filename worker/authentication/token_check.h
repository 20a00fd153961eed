#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/authentication/key_set.h"
#include "shared/base/clock.h"
#include "shared/config/model.h"
#include "worker/authentication/answer.h"
#include "worker/authentication/token.h"

namespace proxyd::authentication {

// Checks tokens by the rules of one `jwt` (RFC 7519 7.2, RFC 8725 3). Immutable; part of a requirement. One check is
// one signature for a token that names its key, and at most one for each key of its algorithm without an id else.
class TokenCheck {
 public:
  TokenCheck(const config::JwtAuth& settings, KeySet keys);

  // `wall_ms`: since 1970.
  Answer check(std::string_view credentials, int64_t wall_ms) const;

 private:
  bool is_signed(const Token& token) const;
  // How long the claims hold from then on; zero: they do not.
  milliseconds holds(const nlohmann::json& claims, int64_t wall_ms) const;
  bool is_from_issuer(const nlohmann::json& claims) const;
  bool is_for_us(const nlohmann::json& claims) const;

  config::JwtAuth settings_;
  std::vector<Algorithm> algorithms_;
  KeySet keys_;
};

}   // namespace proxyd::authentication
