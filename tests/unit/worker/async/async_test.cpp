#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

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

struct Stop : Wakeup {
  Stop(EventLoop& the_loop, std::vector<int>& the_order, int the_number)
      : Wakeup([](Wakeup& self) {
          auto& stop = static_cast<Stop&>(self);
          stop.order.push_back(stop.number);
          if (stop.order.size() == 3) stop.loop.stop();
        }),
        loop(the_loop),
        order(the_order),
        number(the_number),
        timer(*this) {}
  EventLoop& loop;
  std::vector<int>& order;
  int number;
  Timer timer;
};

TEST(EventLoop, WaitsNoLongerThanTheNearestOfTimersThatComeAndGo) {
  EventLoop loop;
  std::vector<int> order;
  Stop gone(loop, order, 0), later(loop, order, 1), sooner(loop, order, 2), last(loop, order, 3);
  const auto in = [&loop](int ms) { return Deadline::at(loop.now() + milliseconds(ms)); };
  loop.timers().arm(gone.timer, in(5));
  loop.timers().arm(last.timer, in(60));
  loop.timers().arm(later.timer, in(40));
  loop.timers().arm(sooner.timer, in(20));
  gone.timer.disarm();
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{2, 1, 3}));
}

TEST(EventLoop, ThatIsStoppedBySomeoneReadyWaitsForNothing) {
  EventLoop loop;
  std::vector<int> order{0, 0};
  Stop stop(loop, order, 1);
  loop.ready().push(stop);
  loop.run();   // without a timer: it would wait for ever
  EXPECT_EQ(order.size(), 3u);
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

TEST(TimerWheel, SleepsUntilABlockBeginsHoweverManyTimersAreFarAway) {
  const Instant start{};
  TimerWheel wheel(start);
  ReadyQueue ready;
  Wakeup wakeup([](Wakeup&) {});
  std::vector<std::unique_ptr<Timer>> timers;
  for (int64_t i = 0; i < 10'000; ++i) {
    timers.push_back(std::make_unique<Timer>(wakeup));
    wheel.arm(*timers.back(), Deadline::at(start + milliseconds(75'000 + i)));
  }
  int passes = 0;
  Instant now = start;
  for (; now < start + milliseconds(70'000); ++passes) {
    ASSERT_GT(wheel.next().when(), now) << "a pass that can do nothing";
    now = wheel.next().when();
    wheel.expire(now, ready);
  }
  EXPECT_LE(passes, 70'000 / 4096 + 1);
}

TEST(TimerWheel, FiresEveryTimerWithinASlotOfItsTime) {
  const Instant start{};
  TimerWheel wheel(start);
  ReadyQueue ready;
  struct Alarm : Wakeup {
    explicit Alarm(Instant& clock) : Wakeup([](Wakeup& self) { static_cast<Alarm&>(self).ring(); }), now(clock) {}
    void ring() { fired = now; }
    Instant& now;
    std::optional<Instant> fired;
    Instant due;
    Timer timer{*this};
  };
  Instant now = start;
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int64_t i = 0; i < 400; ++i) {
    Alarm& alarm = *alarms.emplace_back(std::make_unique<Alarm>(now));
    alarm.due = start + std::chrono::microseconds(i * i * 7919 % 1'300'000'000);
    wheel.arm(alarm.timer, Deadline::at(alarm.due));
  }
  while (!wheel.next().is_never()) {
    now = wheel.next().when();
    wheel.expire(now, ready);
    ready.run(1000);
  }
  for (const auto& alarm : alarms) {
    ASSERT_TRUE(alarm->fired);
    EXPECT_GE(*alarm->fired, alarm->due);
    EXPECT_LE(*alarm->fired - alarm->due, TimerWheel::kSlot);
  }
}

}   // namespace
}   // namespace proxyd::async
