#include "shared/authentication/password.h"

#include <crypt.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <memory>

#include "shared/base/bytes.h"

namespace proxyd::authentication {
namespace {

constexpr size_t kLongestPassword = 128;   // SHA-crypt takes as long as its rounds times this
constexpr std::string_view kSha = "{SHA}";
constexpr size_t kShaDigits = 28;   // base64 of 20 octets
constexpr int kDearestBcrypt = 12;
constexpr int kMostRounds = 200'000;
constexpr std::string_view kYescryptSizes = "56789AB";   // the logarithm of its memory: 2^(n+…), up to 32 MiB

int number_at(std::string_view text) {
  int value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_bcrypt(std::string_view hash) {
  return hash.starts_with("$2y$") || hash.starts_with("$2b$") || hash.starts_with("$2a$");
}
bool is_sha_crypt(std::string_view hash) { return hash.starts_with("$5$") || hash.starts_with("$6$"); }
bool is_yescrypt(std::string_view hash) { return hash.starts_with("$y$"); }

bool is_affordable(std::string_view hash) {
  if (is_bcrypt(hash)) return number_at(hash.substr(4, 2)) <= kDearestBcrypt;
  if (is_sha_crypt(hash) && hash.substr(3).starts_with("rounds=")) return number_at(hash.substr(10)) <= kMostRounds;
  if (!is_yescrypt(hash)) return true;
  return hash.size() > 6 && hash[3] == 'j' && kYescryptSizes.find(hash[4]) != std::string_view::npos &&
         hash.substr(5, 2) == "T$";
}

// How many characters a whole hash has behind its last dollar sign.
size_t digits_of(std::string_view hash) {
  if (is_bcrypt(hash)) return 53;   // salt and hash in one
  if (hash.starts_with("$1$")) return 22;
  if (hash.starts_with("$6$")) return 86;
  return 43;
}

std::string sha_of(const std::string& password) {
  std::array<uint8_t, 20> digest{};
  std::array<uint8_t, kShaDigits + 1> text{};
  if (EVP_Digest(password.data(), password.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) return {};
  EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(text.data()), kShaDigits};
}

}   // namespace

Result<void> check_hash(const std::string& hash) {
  const std::string_view text = hash;
  if (text.starts_with(kSha)) {
    if (text.size() == kSha.size() + kShaDigits && text.ends_with('=')) return {};
    return Error{"its {SHA} is not whole"};
  }
  if (text.starts_with("$apr1$"))
    return Error{"its hash is Apache's own MD5 (apr1), which is not taken; make it with htpasswd -B"};
  if (!is_bcrypt(text) && !is_sha_crypt(text) && !is_yescrypt(text) && !text.starts_with("$1$"))
    return Error{"what is behind the colon is no hash that is taken; make it with htpasswd -B"};
  if (!is_affordable(text)) return Error{"its hash is so dear that it would hold a worker; make it with htpasswd -B"};
  const size_t last = text.rfind('$');
  const int verdict = crypt_checksalt(hash.c_str());
  const bool known = verdict != CRYPT_SALT_INVALID && verdict != CRYPT_SALT_METHOD_DISABLED;
  if (!known || text.size() - last - 1 != digits_of(text)) return Error{"its hash is not whole"};
  return {};
}

bool is_slow(std::string_view hash) { return !hash.starts_with(kSha); }

bool is_password(const std::string& password, const std::string& hash) {
  if (password.find('\0') != std::string::npos) return false;
  if (hash.starts_with(kSha)) return equals_in_constant_time(sha_of(password), std::string_view(hash).substr(5));
  if (password.size() > kLongestPassword) return false;
  const auto memory = std::make_unique<crypt_data>();
  const char* made = crypt_r(password.c_str(), hash.c_str(), memory.get());
  return made && made[0] != '*' && equals_in_constant_time(made, hash);
}

}   // namespace proxyd::authentication
