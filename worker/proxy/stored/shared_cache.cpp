#include "worker/proxy/stored/shared_cache.h"

#include <unistd.h>

namespace proxyd::proxy {
namespace {

constexpr auto kBetweenTending = milliseconds(1);

}   // namespace

SharedCache::SharedCache(async::EventLoop& loop, cache::Cache& cache, std::span<const int> wakes, uint32_t slot)
    : loop_(loop), cache_(cache), wakes_(wakes), followers_(loop), slot_(slot) {}

void SharedCache::begin_use() {
  if (in_use_) return;
  in_use_ = true;
  mail_.start(loop_, wakes_[slot_]);   // without it followers look again every 100 ms all the same
  loop_.set_beside(this);
}

void SharedCache::wake_others() {
  const auto sleepers = cache_.take_wakes();
  if (sleepers.none()) return;
  for (size_t slot = 0; slot < wakes_.size(); ++slot) {
    const uint64_t one = 1;
    if (sleepers.test(slot)) (void)!::write(wakes_[slot], &one, sizeof one);
  }
}

bool SharedCache::before(Instant now, bool idle) {
  if (more_to_tend_ || now - tended_ >= kBetweenTending) {
    more_to_tend_ = cache_.tend(steady_ms(now));
    tended_ = now;
  }
  wake_others();
  if (!idle || more_to_tend_) return false;
  sleeping_ = true;
  return !cache_.going_to_sleep();
}

void SharedCache::after() {
  if (std::exchange(sleeping_, false)) cache_.awake();
  const cache::WaitNumbers news = cache_.take_mail();
  if (news.any()) followers_.raise(news);
}

}   // namespace proxyd::proxy
