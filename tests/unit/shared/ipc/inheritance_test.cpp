#include "shared/ipc/inheritance.h"

#include <gtest/gtest.h>

namespace proxyd::ipc {
namespace {

TEST(Inheritance, TellsAChildTheNumbersThatItSees) {
  Inheritance given{7, 42};
  int mine = 100;
  for (Inheritance::Inherited& one : given.descriptors) one.descriptor = mine++;
  const auto told = Inheritance::decode(given.encode());
  ASSERT_TRUE(told);
  EXPECT_EQ(told->slot, 7u);
  EXPECT_EQ(told->incarnation, 42u);
  const auto numbers = given.numbers();
  ASSERT_EQ(numbers.size(), told->descriptors.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(numbers[i].first, 100 + static_cast<int>(i));
    EXPECT_EQ(numbers[i].second, 3 + static_cast<int>(i));
    EXPECT_EQ(told->descriptors[i].name, given.descriptors[i].name);
    EXPECT_EQ(told->descriptors[i].descriptor, numbers[i].second);
  }
}

TEST(Inheritance, OfAnotherBuildIsRefusedByWhatItLacks) {
  const auto refused = Inheritance::decode("slot=0,incarnation=1,control=3,metrics=4,status=5");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("'rejects'"), std::string::npos);
}

TEST(Inheritance, WhatIsNoListOfNumbersIsRefused) {
  for (const char* text : {"", "slot", "slot=", "slot=x,incarnation=1", "slot=1x", "slot=-1",
                           "slot=256,incarnation=1,control=3,metrics=4,status=5,rejects=6"})
    EXPECT_FALSE(Inheritance::decode(text)) << text;
}

}   // namespace
}   // namespace proxyd::ipc
