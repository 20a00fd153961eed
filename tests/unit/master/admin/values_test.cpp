#include <gtest/gtest.h>

#include "master/admin/attempts.h"
#include "master/admin/body_fields.h"
#include "master/admin/login_codes.h"
#include "master/admin/page.h"
#include "master/admin/query.h"

namespace proxyd::admin {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(Query, IsDecodedOnceAndKeepsEveryParameter) {
  const auto query = parse_query("a=1&b=x%20y+z&c");
  ASSERT_TRUE(query);
  EXPECT_EQ(*query, (std::map<std::string, std::string>{{"a", "1"}, {"b", "x y z"}, {"c", ""}}));
}

TEST(Query, RefusesWhatCouldBeReadInTwoWays) {
  for (const char* text : {"a=1&a=2", "a=%2", "a=%zz", "a=%00", "a=%ff", "a=%0d%0aX: 1"})
    EXPECT_FALSE(parse_query(text)) << text;
}

TEST(Query, KnowsWhatEachParameterMayBe) {
  EXPECT_EQ(fault_of_parameter("dry_run", ""), "");
  EXPECT_EQ(fault_of_parameter("dry_run", "true"), "");
  EXPECT_NE(fault_of_parameter("dry_run", "1"), "");
  EXPECT_NE(fault_of_parameter("wait", "30"), "");
  EXPECT_EQ(fault_of_parameter("wait", "30s"), "");
  EXPECT_NE(fault_of_parameter("limit", "-1"), "");
  EXPECT_NE(fault_of_parameter("format", "xml"), "");
}

// An object of `count` members.
Body body_of(size_t count) {
  AdminRequest request;
  request.method = "PATCH";
  for (size_t i = 0; i < count; ++i) request.body += (i == 0 ? "{\"k" : ",\"k") + std::to_string(i) + "\":null";
  request.body += "}";
  return read_json_body(request);
}

TEST(Body, KeepsItsMembersInOrderAndHasABound) {
  const Body most = body_of(8192);
  ASSERT_FALSE(most.refusal);
  EXPECT_EQ(most.json.size(), 8192u);
  EXPECT_EQ(most.json.begin().key(), "k0");
  const Body more = body_of(8193);
  ASSERT_TRUE(more.refusal);
  EXPECT_EQ(more.refusal->status, 422);
}

TEST(Attempts, AreTooManyFromOneAddressUntilTheFirstIsFiveMinutesOld) {
  Attempts attempts(10);
  const Instant start = Clock::now();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(attempts.wait_for("a", start + seconds(i)), seconds(0));
    attempts.note("a", start + seconds(i));
  }
  EXPECT_EQ(attempts.wait_for("a", start + seconds(10)), seconds(291));
  EXPECT_EQ(attempts.wait_for("b", start + seconds(10)), seconds(0));
  EXPECT_EQ(attempts.wait_for("a", start + minutes(5)), seconds(0));
}

TEST(Attempts, FromManyAddressesTakeBoundedRoomAndForgetTheQuietest) {
  Attempts attempts(1);
  const Instant start = Clock::now();
  for (int i = 0; i < 5000; ++i) attempts.note(std::to_string(i), start + milliseconds(i));
  EXPECT_EQ(attempts.wait_for("0", start + seconds(6)), seconds(0));
  EXPECT_GT(attempts.wait_for("4999", start + seconds(6)), seconds(0));
}

TEST(LoginCode, IsGoodOnceAndForAMinute) {
  LoginCodes codes;
  const Instant start = Clock::now();
  const Identity root{Identity::Kind::kPeer, "unix:root", {"read"}, ""};
  const std::string code = codes.make(root, start);
  EXPECT_FALSE(codes.redeem(code + "x", start));
  EXPECT_EQ(codes.redeem(code, start + seconds(59))->name, "unix:root");
  EXPECT_FALSE(codes.redeem(code, start + seconds(59)));
  const std::string late = codes.make(root, start);
  EXPECT_FALSE(codes.redeem(late, start + seconds(60)));
}

TEST(BodyFields, TellEveryFaultAtOnce) {
  const Json body{{"for", "5"}, {"reason", 3}, {"strange", true}};
  BodyFields fields(body);
  EXPECT_FALSE(fields.duration("for", milliseconds(1), minutes(1)));
  EXPECT_FALSE(fields.text("reason"));
  const auto refusal = fields.refusal();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 422);
  EXPECT_EQ(Json::parse(refusal->body)["errors"].size(), 3u);
}

TEST(Page, GoesOnBehindWhatHasGoneMeanwhile) {
  AdminRequest request;
  request.query = {{"limit", "2"}};
  const Json items = Json::array({{{"n", 9}}, {{"n", 10}}, {{"n", 11}}});
  const Json first = Json::parse(page_answer(request, items, "n").body);
  EXPECT_EQ(first["items"].size(), 2u);
  request.query["cursor"] = first["next_cursor"].get<std::string>();
  const Json rest = Json::parse(page_answer(request, Json::array({{{"n", 9}}, {{"n", 11}}}), "n").body);
  EXPECT_EQ(rest["items"], Json::array({{{"n", 11}}}));
  EXPECT_TRUE(rest["next_cursor"].is_null());
  request.query["cursor"] = "2";
  EXPECT_EQ(page_answer(request, items, "n").status, 400);
}

TEST(Problem, OfTheServerTellsNothingButItsNumber) {
  const AdminAnswer answer = problem("internal", "the password is hunter2");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("hunter2"), std::string::npos);
  EXPECT_EQ(problem("worker-timeout", "x").status, 504);
  EXPECT_EQ(problem("no-such-code", "x").status, 500);
}

}   // namespace
}   // namespace proxyd::admin
