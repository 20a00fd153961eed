#include <gtest/gtest.h>

#include "worker/async/event_loop.h"
#include "worker/async/task.h"

namespace proxyd::async {
namespace {

struct Gate {
  Resume* waiting = nullptr;
  bool open = false;
};

struct Pass : Resume {
  explicit Pass(Gate& the_gate) : gate(the_gate) {}
  ~Pass() { gate.waiting = nullptr; }
  bool await_ready() const { return gate.open; }
  void await_suspend(std::coroutine_handle<> awaiting) {
    handle = awaiting;
    gate.waiting = this;
  }
  void await_resume() {}
  Gate& gate;
};

Task<int> wait_and_give(Gate& gate, int value) {
  co_await Pass(gate);
  co_return value;
}

Task<int> sum(Gate& a, Gate& b) {
  Task<int> first = wait_and_give(a, 1);
  Task<int> second = wait_and_give(b, 2);
  co_await first_of(first, second);
  const int x = co_await first;
  const int y = co_await second;
  co_return x + y;
}

void open(Gate& gate) {
  gate.open = true;
  if (gate.waiting) ReadyQueue::of_this_thread().push(*gate.waiting);
  ReadyQueue::of_this_thread().run(100);
}

TEST(Task, StartsAtOnceAndWakesWhoAwaitsItThroughTheQueue) {
  Gate a, b;
  Task<int> task = sum(a, b);
  open(b);
  EXPECT_FALSE(task.done());
  open(a);
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.take(), 3);
}

TEST(Task, UnlinksItsAwaitersWhenItIsCancelled) {
  Gate a, b;
  Task<int> task = sum(a, b);
  ReadyQueue::of_this_thread().push(*a.waiting);
  task.cancel();
  EXPECT_EQ(a.waiting, nullptr);
  EXPECT_EQ(b.waiting, nullptr);
  ReadyQueue::of_this_thread().run(100);
}

TEST(TimerWheel, FiresInTimeAcrossTurnsAndNeverEarly) {
  const Instant start{};
  TimerWheel wheel(start);
  ReadyQueue ready;
  static int fired;
  fired = 0;
  Wakeup wakeup([](Wakeup&) { ++fired; });
  Timer timer(wakeup);
  wheel.arm(timer, Deadline::at(start + milliseconds(40'000)));
  for (int64_t ms = 0; ms < 40'000; ms += 8) {
    wheel.expire(start + milliseconds(ms), ready);
    ready.run(10);
    ASSERT_EQ(fired, 0) << ms;
  }
  wheel.expire(start + milliseconds(40'016), ready);
  ready.run(10);
  EXPECT_EQ(fired, 1);
  EXPECT_TRUE(wheel.next().is_never());
}

}   // namespace
}   // namespace proxyd::async
