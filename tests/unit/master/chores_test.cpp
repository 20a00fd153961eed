#include "master/chores.h"

#include <gtest/gtest.h>

#include <future>
#include <new>

namespace proxyd::master {
namespace {

TEST(Chores, DoesEachInItsTurnAndOneOfANameOnlyOnce) {
  std::promise<void> begun, release, done;
  std::vector<std::string> seen;
  Log log(2, "test");
  Chores chores(log);
  chores.add("first", [&] {
    begun.set_value();
    release.get_future().wait();
    seen.push_back("first");
  });
  begun.get_future().wait();
  for (int i = 0; i < 3; ++i) chores.add("again", [&] { seen.push_back("again"); });
  chores.add("last", [&] { done.set_value(); });
  release.set_value();
  done.get_future().wait();
  EXPECT_EQ(seen, (std::vector<std::string>{"first", "again"}));
}

TEST(Chores, GoesOnAfterOneThatThrows) {
  std::promise<void> done;
  Log log(2, "test");
  Chores chores(log);
  chores.add("wrong", [] { throw std::bad_alloc(); });
  chores.add("next", [&] { done.set_value(); });
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

}   // namespace
}   // namespace proxyd::master
