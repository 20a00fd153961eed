#include "master/chores.h"

#include <gtest/gtest.h>

#include <future>

namespace proxyd::master {
namespace {

TEST(Chores, DoesEachInItsTurnAndOneOfANameOnlyOnce) {
  std::promise<void> begun, release, done;
  std::vector<std::string> seen;
  Chores chores;
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

}   // namespace
}   // namespace proxyd::master
