#include "shared/authentication/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <vector>

#include "shared/authentication/strict_json.h"
#include "shared/base/bytes.h"

namespace proxyd::authentication {
namespace {

using Json = nlohmann::json;

constexpr size_t kLeastSecret = 32;   // RFC 7518 3.2
constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;
constexpr size_t kHalf = 32;   // of a P-256 point and of an ES256 signature

template <auto Free>
struct With {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Builder = std::unique_ptr<OSSL_PARAM_BLD, With<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, With<OSSL_PARAM_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, With<EVP_PKEY_CTX_free>>;
using Digesting = std::unique_ptr<EVP_MD_CTX, With<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, With<BN_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, With<ECDSA_SIG_free>>;

const uint8_t* octets_of(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

std::optional<std::string> octets_at(const Json& json, const char* name) {
  const auto text = text_at(json, name);
  return text ? from_base64url(*text) : std::nullopt;
}

Number number_of(std::string_view octets) {
  return Number(BN_bin2bn(octets_of(octets), static_cast<int>(octets.size()), nullptr));
}

std::shared_ptr<void> key_from(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  const bool made = parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1;
  ERR_clear_error();
  return made ? std::shared_ptr<void>(key, [](void* gone) { EVP_PKEY_free(static_cast<EVP_PKEY*>(gone)); }) : nullptr;
}

// What the key is for, by type and curve; nothing for what we do not check.
std::optional<Algorithm> algorithm_of(const Json& json) {
  const std::string type = text_at(json, "kty").value_or("");
  const std::string curve = text_at(json, "crv").value_or("");
  if (type == "RSA") return Algorithm::kRs256;
  if (type == "oct") return Algorithm::kHs256;
  if (type == "EC" && curve == "P-256") return Algorithm::kEs256;
  if (type == "OKP" && curve == "Ed25519") return Algorithm::kEdDsa;
  return std::nullopt;
}

// RFC 7517 4.2 to 4.4: what it says of its use allows that signatures are checked with it.
bool is_for(const Json& json, Algorithm algorithm) {
  if (json.contains("use") && text_at(json, "use") != "sig") return false;
  if (json.contains("alg") && algorithm_from(text_at(json, "alg").value_or("")) != algorithm) return false;
  const auto operations = json.find("key_ops");
  if (operations == json.end()) return true;
  return operations->is_array() && std::find(operations->begin(), operations->end(), "verify") != operations->end();
}

// RFC 7515 A.3: to the form that OpenSSL takes.
std::string der_of(std::string_view raw) {
  if (raw.size() != 2 * kHalf) return {};
  Number r = number_of(raw.substr(0, kHalf));
  Number s = number_of(raw.substr(kHalf));
  const Signature signature(ECDSA_SIG_new());
  if (!r || !s || !signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  std::string der(static_cast<size_t>(std::max(i2d_ECDSA_SIG(signature.get(), nullptr), 0)), '\0');
  auto* end = reinterpret_cast<uint8_t*>(der.data());
  i2d_ECDSA_SIG(signature.get(), &end);
  return der;
}

bool is_hmac(const std::string& secret, std::string_view text, std::string_view signature) {
  std::array<uint8_t, 32> made{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), octets_of(text), text.size(), made.data(), &size);
  return size == made.size() && equals_in_constant_time({reinterpret_cast<char*>(made.data()), size}, signature);
}

}   // namespace

std::optional<Algorithm> algorithm_from(std::string_view name) {
  if (name == "RS256") return Algorithm::kRs256;
  if (name == "ES256") return Algorithm::kEs256;
  if (name == "HS256") return Algorithm::kHs256;
  if (name == "EdDSA") return Algorithm::kEdDsa;
  return std::nullopt;
}

Key::Pkey Key::rsa(const Json& json) {
  const auto modulus = octets_at(json, "n");
  const auto exponent = octets_at(json, "e");
  if (!modulus || !exponent || exponent->size() > 8 || modulus->size() > kMostRsaBits / 8 + 1) return nullptr;
  const Number n = number_of(*modulus);
  const Number e = number_of(*exponent);
  const Builder builder(OSSL_PARAM_BLD_new());
  const bool sound = n && e && builder && BN_num_bits(n.get()) >= kLeastRsaBits &&
                     BN_num_bits(n.get()) <= kMostRsaBits && BN_is_odd(n.get()) && BN_is_odd(e.get()) &&
                     !BN_is_one(e.get());
  if (!sound) return nullptr;
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return key_from("RSA", builder.get());
}

Key::Pkey Key::p256(const Json& json) {
  const auto x = octets_at(json, "x");
  const auto y = octets_at(json, "y");
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!x || !y || x->size() != kHalf || y->size() != kHalf || !builder) return nullptr;
  const std::string point = "\x04" + *x + *y;   // uncompressed (SEC 1 2.3.3); one beside the curve is refused
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return key_from("EC", builder.get());
}

Key::Pkey Key::ed25519(const Json& json) {
  const auto x = octets_at(json, "x");
  if (!x || x->size() != kHalf) return nullptr;
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets_of(*x), x->size());
  ERR_clear_error();
  return key ? Pkey(key, [](void* gone) { EVP_PKEY_free(static_cast<EVP_PKEY*>(gone)); }) : nullptr;
}

Result<std::optional<Key>> Key::read(const Json& json) {
  const auto algorithm = algorithm_of(json);
  if (!algorithm || !is_for(json, *algorithm)) return std::optional<Key>();
  if (json.contains("d")) return Error{"it is a private key; give the public one"};
  Key key;
  key.algorithm_ = *algorithm;
  key.id_ = text_at(json, "kid").value_or("");
  switch (*algorithm) {
    case Algorithm::kRs256: key.public_ = rsa(json); break;
    case Algorithm::kEs256: key.public_ = p256(json); break;
    case Algorithm::kEdDsa: key.public_ = ed25519(json); break;
    case Algorithm::kHs256: key.secret_ = octets_at(json, "k").value_or(""); break;
  }
  if (*algorithm == Algorithm::kHs256 && key.secret_.size() < kLeastSecret)
    return Error{"its secret has less than 32 octets"};
  if (*algorithm != Algorithm::kHs256 && !key.public_)
    return Error{"it is no sound public key of its type (RSA has 2048 to 8192 bits)"};
  return std::optional<Key>(std::move(key));
}

bool Key::verifies(std::string_view text, std::string_view signature) const {
  if (algorithm_ == Algorithm::kHs256) return is_hmac(secret_, text, signature);
  std::string der;
  if (algorithm_ == Algorithm::kEs256) {
    der = der_of(signature);
    if (der.empty()) return false;
    signature = der;
  }
  const Digesting digesting(EVP_MD_CTX_new());
  const EVP_MD* digest = algorithm_ == Algorithm::kEdDsa ? nullptr : EVP_sha256();
  auto* key = static_cast<EVP_PKEY*>(public_.get());
  const bool right =
      digesting && EVP_DigestVerifyInit(digesting.get(), nullptr, digest, nullptr, key) == 1 &&
      EVP_DigestVerify(digesting.get(), octets_of(signature), signature.size(), octets_of(text), text.size()) == 1;
  ERR_clear_error();
  return right;
}

}   // namespace proxyd::authentication
