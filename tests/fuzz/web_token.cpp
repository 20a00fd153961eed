#include <cstdint>
#include <cstdlib>
#include <string>

#include "shared/base/bytes.h"
#include "worker/authentication/token.h"
#include "worker/authentication/token_check.h"

namespace {

using namespace proxyd::authentication;

// A secret that the fuzzer is not told.
TokenCheck check() {
  const char* keys = R"({"keys":[{"kty":"oct","k":"c2VjcmV0LW9mLXRoaXJ0eS10d28tb2N0ZXRzLWF0LWxlYXN0"}]})";
  proxyd::config::JwtAuth settings;
  settings.algorithms = {"HS256"};
  return {settings, *read_keys(keys)};
}

std::string part(std::string_view octets) {
  return proxyd::to_base64url({reinterpret_cast<const uint8_t*>(octets.data()), octets.size()});
}

}   // namespace

// Oracle: a token that was read is two dots with its signed text before the second; written again of what was read, its
// claims and signature are read as the same; and none is right, since nobody signed it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const TokenCheck checked = check();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (checked.check(text, 1'700'000'000'000).right) std::abort();
  const auto token = read_token(text);
  if (!token) return 0;
  const std::string signature = part(token->signature);
  if (std::string(token->signed_text) + "." + signature != text || !token->claims.is_object()) std::abort();
  const std::string_view header = token->signed_text.substr(0, token->signed_text.find('.'));
  const std::string again = std::string(header) + "." + part(token->claims.dump()) + "." + signature;
  const auto second = read_token(again);
  const bool same = second && second->claims == token->claims && second->signature == token->signature &&
                    second->algorithm == token->algorithm && second->key_id == token->key_id;
  if (!same) std::abort();
  return 0;
}
