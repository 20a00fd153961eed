#pragma once

#include <array>
#include <cstdint>

#include "shared/cache/wakes.h"
#include "worker/async/event_loop.h"

namespace proxyd::proxy {

class Followers;

// One who waits for news of an object of the cache. Lies in whoever follows it and leaves when that goes. Its signal is
// raised for news of any object with the same wait number, and now and then for no news: look again, and clear it.
class Follower {
 public:
  Follower() = default;
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  ~Follower() { leave(); }

  async::Signal& news() { return news_; }
  bool follows() const { return followers_ != nullptr; }
  void leave();

 private:
  friend class Followers;
  async::Signal news_;
  Followers* followers_ = nullptr;
  uint32_t number_ = 0;
  Follower* next_ = nullptr;
  Follower* previous_ = nullptr;
};

// Everyone in this worker who follows what is being fetched, here or by another worker, by wait number. Whoever follows
// is also woken every 100 ms: a wake-up that died with its sender costs no more than that. One thread.
class Followers {
 public:
  explicit Followers(async::EventLoop& loop) : loop_(loop), tick_(*this), timer_(tick_) {}
  Followers(const Followers&) = delete;
  Followers& operator=(const Followers&) = delete;

  // From now on `follower` hears of the number. Once for each follower.
  void add(Follower& follower, uint32_t number);
  void raise(const cache::WaitNumbers& numbers);

 private:
  friend class Follower;
  struct Tick : async::Wakeup {
    explicit Tick(Followers& owner)
        : Wakeup([](Wakeup& self) { static_cast<Tick&>(self).followers.look_again(); }), followers(owner) {}
    Followers& followers;
  };
  void raise(uint32_t number);
  void look_again();

  async::EventLoop& loop_;
  std::array<Follower*, cache::kWaitNumbers> first_{};
  size_t count_ = 0;
  Tick tick_;
  async::Timer timer_;
};

}   // namespace proxyd::proxy
