#include "master/admin/operations.h"

#include <gtest/gtest.h>

#include <atomic>

namespace proxyd::admin {
namespace {

using State = Operations::State;

Operations::Ending until_told(const Operations::Control& control) {
  while (control.wait(milliseconds(5))) {
  }
  return {State::kCancelled, json_answer({{"given_up", true}})};
}

TEST(Operations, AskedForAgainAreJoined) {
  Operations operations;
  const auto first = operations.start("drain", "app/one", "me", until_told);
  EXPECT_EQ(operations.start("drain", "app/one", "you", until_told), first);
  EXPECT_NE(operations.start("drain", "app/two", "you", until_told), first);
  EXPECT_TRUE(operations.cancel(*first));
  EXPECT_EQ(operations.wait(*first, milliseconds(5000))->state, State::kCancelled);
  EXPECT_FALSE(operations.cancel(*first));
  EXPECT_EQ((*operations.find(*first))["result"]["given_up"], true);
}

TEST(Operations, AnswerWith202UntilTheyHaveEnded) {
  Operations operations;
  std::atomic<bool> go{false};
  const auto number =
      operations.start("drain", "app/one", "me", [&go](const Operations::Control& control) -> Operations::Ending {
        control.progress({{"in_flight", 3}});
        while (!go && control.wait(milliseconds(5))) {
        }
        return {State::kDone, json_answer({{"drained", true}})};
      });
  const AdminAnswer begun = answer_for(operations, *number, milliseconds(0), Json::object());
  EXPECT_EQ(begun.status, 202);
  EXPECT_EQ(begun.fields.at("Location"), "/api/v1/operations/" + std::to_string(*number));
  go = true;
  EXPECT_EQ(answer_for(operations, *number, milliseconds(5000), Json::object()).status, 200);
}

TEST(Operations, AreBoundedAndEndWithTheirOwner) {
  Operations operations;
  for (int i = 0; i < 64; ++i) EXPECT_TRUE(operations.start("drain", std::to_string(i), "me", until_told));
  EXPECT_FALSE(operations.start("drain", "64", "me", until_told));
  operations.stop();
  EXPECT_EQ((*operations.find(1))["state"], "cancelled");
  EXPECT_FALSE(operations.start("drain", "65", "me", until_told));
}

TEST(Operations, KnowWhetherSomebodyCancelledThemOrTheServerStops) {
  std::atomic<int> cancelled{0};
  const auto work = [&cancelled](const Operations::Control& control) {
    const Operations::Ending ending = until_told(control);
    cancelled += control.is_cancelled() ? 1 : 0;
    return ending;
  };
  Operations operations;
  const auto first = operations.start("remove", "app/one", "me", work);
  const auto second = operations.start("remove", "app/two", "me", work);
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(operations.runs("remove", "app/one"));
  EXPECT_FALSE(operations.runs("drain", "app/one"));
  operations.cancel(*first);
  ASSERT_TRUE(operations.wait(*first, milliseconds(5000)));
  EXPECT_FALSE(operations.runs("remove", "app/one"));
  operations.stop();
  EXPECT_EQ(cancelled, 1) << "the second was only interrupted";
}

TEST(Operations, ThatThrowHaveFailedAndTellNothing) {
  Operations operations;
  const auto number = operations.start("drain", "app/one", "me", [](const Operations::Control&) -> Operations::Ending {
    throw std::runtime_error("secret");
  });
  const auto ending = operations.wait(*number, milliseconds(5000));
  EXPECT_EQ(ending->state, State::kFailed);
  EXPECT_EQ(ending->answer.body.find("secret"), std::string::npos);
}

}   // namespace
}   // namespace proxyd::admin
