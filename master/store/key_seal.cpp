#include "master/store/key_seal.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "master/store/secret_file.h"
#include "shared/base/bytes.h"
#include "shared/base/digest.h"

namespace proxyd::store {
namespace {

constexpr size_t kNonce = 12;
constexpr size_t kTag = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const uint8_t* octets(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }
uint8_t* octets(std::string& text) { return reinterpret_cast<uint8_t*>(text.data()); }

// One AES-256-GCM run: `encrypt` 1 or 0. The output is as long as the input.
Context begun(int encrypt, const uint8_t* key, std::string_view nonce, std::string_view about) {
  Context context(EVP_CIPHER_CTX_new());
  int length = 0;
  const bool ready =
      context && EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key, octets(nonce), encrypt) == 1 &&
      EVP_CipherUpdate(context.get(), nullptr, &length, octets(about), static_cast<int>(about.size())) == 1;
  if (!ready) std::abort();   // only without memory or without AES
  return context;
}

}   // namespace

Result<KeySeal> KeySeal::open(const std::string& folder, Missing missing) {
  const std::string path = folder + "/certificates.key";
  std::error_code unknown;
  const bool there = std::filesystem::exists(path, unknown);
  if (!there && missing == Missing::kRefuse)
    return Error{fmt::format("{}, under which the keys of uploaded certificates are sealed, is not there", path)};
  auto key = there ? read_secret(path) : make_secret(path);
  if (!key) return key.error();
  KeySeal seal(*key);
  OPENSSL_cleanse(key->data(), key->size());
  return seal;
}

KeySeal::~KeySeal() { OPENSSL_cleanse(key_.data(), key_.size()); }

std::string KeySeal::seal(std::string_view secret, std::string_view about) const {
  std::string sealed(kNonce + secret.size() + kTag, '\0');
  random_bytes({octets(sealed), kNonce});
  const Context context = begun(1, key_.data(), std::string_view(sealed).substr(0, kNonce), about);
  int length = 0;
  uint8_t* const text = octets(sealed) + kNonce;
  const bool done =
      EVP_CipherUpdate(context.get(), text, &length, octets(secret), static_cast<int>(secret.size())) == 1 &&
      EVP_CipherFinal_ex(context.get(), text + length, &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTag, text + secret.size()) == 1;
  if (!done) std::abort();
  return to_base64url({octets(sealed), sealed.size()});
}

Result<std::string> KeySeal::unseal(std::string_view sealed, std::string_view about) const {
  const Error wrong{"a sealed key is damaged, or sealed under another certificates.key"};
  auto read = from_base64url(sealed);
  if (!read || read->size() < kNonce + kTag) return wrong;
  const size_t size = read->size() - kNonce - kTag;
  const Context context = begun(0, key_.data(), std::string_view(*read).substr(0, kNonce), about);
  std::string secret(size, '\0');
  int length = 0;
  uint8_t* const text = octets(*read) + kNonce;
  const bool whole = EVP_CipherUpdate(context.get(), octets(secret), &length, text, static_cast<int>(size)) == 1 &&
                     EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTag, text + size) == 1 &&
                     EVP_CipherFinal_ex(context.get(), octets(secret) + length, &length) == 1;
  if (whole) return secret;
  OPENSSL_cleanse(secret.data(), secret.size());
  return wrong;
}

}   // namespace proxyd::store
