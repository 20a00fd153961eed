#include "master/admin/login_codes.h"

#include <array>

#include "shared/base/bytes.h"
#include "shared/base/digest.h"

namespace proxyd::admin {
namespace {

constexpr size_t kMost = 64;

}   // namespace

std::string LoginCodes::make(Identity identity, Instant now) {
  std::array<uint8_t, 32> secret{};
  random_bytes(secret);
  std::string code = to_base64url(secret);
  const std::lock_guard lock(mutex_);
  entries_.push_back({to_hex(sha256(code)), std::move(identity), now + kLifetime});
  if (entries_.size() > kMost) entries_.pop_front();
  return code;
}

std::optional<Identity> LoginCodes::redeem(const std::string& code, Instant now) {
  const std::string digest = to_hex(sha256(code));
  const std::lock_guard lock(mutex_);
  std::optional<Identity> identity;
  std::erase_if(entries_, [&](Entry& entry) {
    if (entry.expires <= now) return true;
    if (!equals_in_constant_time(entry.digest, digest)) return false;
    identity = std::move(entry.identity);
    return true;
  });
  return identity;
}

}   // namespace proxyd::admin
