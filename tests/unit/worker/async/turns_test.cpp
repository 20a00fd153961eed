#include "worker/async/turns.h"

#include <gtest/gtest.h>

#include <vector>

namespace proxyd::async {
namespace {

// A pass of the loop, as far as the queues go.
void pass(EventLoop& loop) {
  loop.ready().take_all(loop.next_pass());
  loop.ready().run(1000);
}

Task<void> take(Turns& turns, std::vector<int>& taken, int number) {
  co_await turns.next();
  taken.push_back(number);
}

TEST(Turns, SoManyAreHadInAPassAndTheRestInOrderLater) {
  EventLoop loop;
  Turns turns(loop, 2);
  std::vector<int> taken;
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(take(turns, taken, i));
  EXPECT_EQ(taken, (std::vector{0, 1}));
  pass(loop);
  EXPECT_EQ(taken, (std::vector{0, 1, 2, 3}));
  tasks.push_back(take(turns, taken, 5));   // behind the one who waits
  EXPECT_EQ(taken.size(), 4u);
  pass(loop);
  EXPECT_EQ(taken, (std::vector{0, 1, 2, 3, 4, 5}));
  pass(loop);
  tasks.push_back(take(turns, taken, 6));
  EXPECT_EQ(taken.back(), 6);
}

TEST(Turns, WhoIsCancelledTakesNobodysTurn) {
  EventLoop loop;
  Turns turns(loop, 1);
  std::vector<int> taken;
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(take(turns, taken, i));
  tasks[1].cancel();
  tasks[2].cancel();
  pass(loop);
  EXPECT_EQ(taken, (std::vector{0, 3}));
}

}   // namespace
}   // namespace proxyd::async
