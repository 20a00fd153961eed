#include "shared/cache/key.h"

#include "shared/base/sip_hash.h"

namespace proxyd::cache {

template <int kCompressions, int kFinalizations>
KeyHash sip_hash_128(const std::array<uint64_t, 2>& secret, std::string_view text) {
  SipHash<kCompressions> hash(secret, 0xee);
  hash.take(text);
  const uint64_t low = hash.finish(kFinalizations, 0xee);
  return KeyHash{hash.finish_again(kFinalizations, 0xdd), low};
}

template KeyHash sip_hash_128<2, 4>(const std::array<uint64_t, 2>&, std::string_view);
template KeyHash sip_hash_128<1, 3>(const std::array<uint64_t, 2>&, std::string_view);

KeyHash hash_key(const std::array<uint64_t, 2>& secret, std::string_view key) {
  return sip_hash_128<1, 3>(secret, key);
}

}   // namespace proxyd::cache
