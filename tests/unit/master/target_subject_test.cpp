#include "master/target_subject.h"

#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

using Aspect = TargetSubject::Aspect;

TEST(TargetSubject, IsReadAsItWasWritten) {
  for (const Aspect aspect : {Aspect::kAdmission, Aspect::kWeight}) {
    const TargetSubject subject{"app", "10.0.0.1-8080", aspect};
    const auto read = TargetSubject::parse(subject.text());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->upstream, "app");
    EXPECT_EQ(read->target, "10.0.0.1-8080");
    EXPECT_EQ(read->aspect, aspect);
    EXPECT_EQ(read->name(), "app/10.0.0.1-8080");
  }
  EXPECT_EQ((TargetSubject{"app", "one", Aspect::kWeight}).text(), "target:app/one:weight");
}

TEST(TargetSubject, IsNoOtherSubject) {
  for (const char* other : {"", "workers", "log-level", "target:", "target:app", "target:app/one", "target:app:weight",
                            "target:app/one:colour", "host:app/one:weight"})
    EXPECT_FALSE(TargetSubject::parse(other)) << other;
}

}   // namespace
}   // namespace proxyd::master
