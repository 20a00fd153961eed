#include "worker/proxy/stored/shared_cache.h"

namespace proxyd::proxy {
namespace {

constexpr auto kBetweenTending = milliseconds(1);

}   // namespace

SharedCache::SharedCache(async::EventLoop& loop, cache::Cache& cache, const memory::WakeDescriptors& wakes)
    : loop_(loop), cache_(cache), wakes_(wakes), followers_(loop) {}

void SharedCache::begin_use() {
  if (in_use_) return;
  in_use_ = true;
  loop_.set_beside(this);
}

bool SharedCache::before(Instant now, bool idle) {
  if (more_to_tend_ || now - tended_ >= kBetweenTending) {
    more_to_tend_ = cache_.tend(steady_ms(now));
    tended_ = now;
  }
  wakes_.wake_all(cache_.take_wakes());
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
