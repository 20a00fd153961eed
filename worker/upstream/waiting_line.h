#pragma once

#include <cstdint>

#include "shared/status/status_region.h"
#include "worker/async/event_loop.h"

namespace proxyd::upstream {

// Requests of one upstream that wait for room, since all its targets are at their max_connections: first come, first
// served within a worker; a bound for all workers together. Who leaves a target wakes the next here at once; room that
// another worker made is seen within 2 ms. Owned by the worker for as long as a configuration names the upstream; one
// thread.
class WaitingLine : private async::Wakeup {
 public:
  WaitingLine(async::EventLoop& loop, const status::StatusRegion& status, uint32_t slot, uint32_t upstream_row)
      : Wakeup([](Wakeup& self) { static_cast<WaitingLine&>(self).look_again(); }),
        loop_(loop),
        status_(status),
        slot_(slot),
        row_(upstream_row),
        timer_(*this) {}

  void set_size(uint64_t most) { most_ = most; }
  bool empty() const { return first_ == nullptr; }
  // Nobody else may join.
  bool is_full() const { return status_.waiting_sum(row_) >= most_; }

  // A request's place, which it keeps until this goes: then it has found room, or given up, and the next one looks.
  class Place {
   public:
    explicit Place(WaitingLine& line) : line_(line) { line_.join(*this); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { line_.leave(*this); }

    // Suspends until there may be room; false when the deadline passed first.
    async::WaitReady turn(Deadline deadline) {
      called_.set(false);
      return {line_.loop_, called_, deadline};
    }

   private:
    friend class WaitingLine;
    WaitingLine& line_;
    Place* next_ = nullptr;
    Place* previous_ = nullptr;
    async::Signal called_;
  };
  // A target may have room: the first one looks.
  void call_first() {
    if (first_) first_->called_.raise(loop_.ready());
  }

 private:
  static constexpr auto kLook = milliseconds(2);
  void join(Place& place);
  void leave(Place& place);
  void look_again();

  async::EventLoop& loop_;
  const status::StatusRegion& status_;
  uint32_t slot_;
  uint32_t row_;
  uint64_t most_ = 0;
  Place* first_ = nullptr;
  Place* last_ = nullptr;
  async::Timer timer_;
};

}   // namespace proxyd::upstream
