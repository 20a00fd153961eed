#include "shared/ipc/inheritance.h"

#include <gtest/gtest.h>

namespace proxyd::ipc {
namespace {

TEST(Inheritance, TellsAChildTheNumbersThatItSees) {
  Inheritance given{7, 42, 8 << 20};
  int mine = 100;
  for (Inheritance::Inherited& one : given.descriptors) one.descriptor = mine++;
  for (int& wake : given.wakes) wake = mine++;
  const auto told = Inheritance::decode(given.encode());
  ASSERT_TRUE(told);
  EXPECT_EQ(told->slot, 7u);
  EXPECT_EQ(told->incarnation, 42u);
  EXPECT_EQ(told->ceiling, 8u << 20);
  const auto numbers = given.numbers();
  const size_t named = told->descriptors.size();
  ASSERT_EQ(numbers.size(), named + kWorkerSlots);
  for (size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(numbers[i].first, 100 + static_cast<int>(i));
    EXPECT_EQ(numbers[i].second, 3 + static_cast<int>(i));
    if (i >= named) {
      EXPECT_EQ(told->wakes[i - named], numbers[i].second);
      continue;
    }
    EXPECT_EQ(told->descriptors[i].name, given.descriptors[i].name);
    EXPECT_EQ(told->descriptors[i].descriptor, numbers[i].second);
  }
}

TEST(Inheritance, OfAnotherBuildIsRefusedByWhatItLacks) {
  const auto refused = Inheritance::decode("slot=0,incarnation=1,ceiling=1,control=3,metrics=4,status=5,wakes=6");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("'rejects'"), std::string::npos);
}

TEST(Inheritance, WhatIsNoListOfNumbersIsRefused) {
  for (const char* text : {"", "slot", "slot=", "slot=x,incarnation=1", "slot=1x", "slot=-1",
                           "slot=256,incarnation=1,ceiling=1,control=3,metrics=4,status=5,rejects=6,cache=7,wakes=8"})
    EXPECT_FALSE(Inheritance::decode(text)) << text;
}

}   // namespace
}   // namespace proxyd::ipc
