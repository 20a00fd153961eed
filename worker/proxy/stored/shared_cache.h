#pragma once

#include <array>
#include "shared/base/steady.h"
#include "shared/cache/cache.h"
#include "shared/memory/wake_descriptors.h"
#include "worker/async/event_loop.h"
#include "worker/proxy/stored/followers.h"

namespace proxyd::proxy {

// Bounded apart: slices are short, and many.
enum class AloneFills : uint8_t { kWhole, kSlices };

// This worker's way into the cache that all workers share, with what has to be done beside every pass of its loop:
// housekeeping, news for those who follow, and waking other workers. The loop wakes at the descriptor of our slot,
// which the worker watches. Owned by the worker; the cache and the descriptors outlive it. Nothing suspends.
class SharedCache final : public async::BesideEachPass {
 public:
  SharedCache(async::EventLoop& loop, cache::Cache& cache, const memory::WakeDescriptors& wakes);
  ~SharedCache() override { loop_.set_beside(nullptr); }

  async::EventLoop& loop() { return loop_; }
  cache::Cache& cache() { return cache_; }
  Followers& followers() { return followers_; }
  // Milliseconds of the clock that all processes of the machine share.
  int64_t now() const { return steady_ms(loop_.now()); }
  // How many fills go on though the client that began them does not read all of it. Fill counts them.
  size_t& alone(AloneFills kind) { return alone_[static_cast<size_t>(kind)]; }
  // From now on requests use the cache: until then a pass costs nothing for it.
  void begin_use();

  bool before(Instant now, bool idle) override;
  void after() override;

 private:
  async::EventLoop& loop_;
  cache::Cache& cache_;
  const memory::WakeDescriptors& wakes_;
  Followers followers_;
  Instant tended_{};
  std::array<size_t, 2> alone_{};   // by AloneFills
  bool in_use_ = false;
  bool more_to_tend_ = false;
  bool sleeping_ = false;
};

}   // namespace proxyd::proxy
