#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace proxyd::authentication {

// RFC 7518 3.1, RFC 8037 3.1. There is no "none".
enum class Algorithm : uint8_t { kRs256, kEs256, kHs256, kEdDsa };
std::optional<Algorithm> algorithm_from(std::string_view name);

// What one signature is checked with. Made for one algorithm and good for no other, so that nobody can have a public
// key taken for a secret (RFC 8725 3.1). Immutable, copies share what OpenSSL keeps; any process.
class Key {
 public:
  // Of a JSON Web Key (RFC 7517 4): RSA of 2048 to 8192 bits, P-256, Ed25519, or a secret of 32 octets at least.
  // Nothing for a key that is for something else by its kty, crv, use, key_ops or alg. Fails for one that is wrong, or
  // private: who checks signatures should not be able to make them.
  static Result<std::optional<Key>> read(const nlohmann::json& json);

  Algorithm algorithm() const { return algorithm_; }
  const std::string& id() const { return id_; }   // empty: none
  // Whether `signature` is that of `text`. An ES256 signature is r and s of 32 octets each (RFC 7518 3.4).
  bool verifies(std::string_view text, std::string_view signature) const;

 private:
  using Pkey = std::shared_ptr<void>;   // an EVP_PKEY
  static Pkey rsa(const nlohmann::json& json);
  static Pkey p256(const nlohmann::json& json);
  static Pkey ed25519(const nlohmann::json& json);

  Algorithm algorithm_ = Algorithm::kRs256;
  std::string id_;
  Pkey public_;
  std::string secret_;   // of kHs256
};

}   // namespace proxyd::authentication
