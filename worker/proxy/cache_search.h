#pragma once

#include <cstdint>

#include "shared/cache/cache.h"
#include "worker/async/task.h"
#include "worker/proxy/holding.h"

namespace proxyd::proxy {

// Finds what may answer a request, or who fetches or validates that already; or gets the duty to ask for all who want
// the same (RFC 9111 4). Owned by the visit, beside what it finds. Nothing suspends but `wait`; where the cache is busy
// the request goes to the origin, and nothing is stored.
class CacheSearch {
 public:
  explicit CacheSearch(Holding& held) : held_(held) {}

  enum class Next : uint8_t {
    kAskOrigin,
    kServe,            // what is stored, which may be arriving still
    kWait,             // for who fetches or validates it; then look again
    kGatewayTimeout,   // the request forbids to ask the origin (RFC 9111 5.2.1.7)
  };
  Next look();
  // Until there is news of what is waited for, or the policy's patience ends. Suspends.
  async::Task<void> wait();

 private:
  void forget();
  Next look_once();
  Next found(cache::Lookup lookup);
  Next found_opening();
  Next judge(bool soft_purged);
  Next replace_part();
  Next validate();
  Next lock(const cache::StoredResponse* instead_of);
  Next wait_for_head();
  Next go_without_storing(caching::Reason reason);
  Next next_without_any() const;
  caching::Reason miss() const { return held_.vary_head ? caching::Reason::kVaryMiss : caching::Reason::kMiss; }
  bool still_waits(const cache::Progress& progress) const;
  void note_end(const cache::Progress& progress);

  Holding& held_;
  enum class Awaited : uint8_t { kHead, kValidation };
  Awaited awaited_ = Awaited::kHead;
  Deadline patience_ = Deadline::never();
  bool waited_in_vain_ = false;
};

}   // namespace proxyd::proxy
