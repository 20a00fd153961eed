#include "master/admin/resources/set_edit.h"

#include <gtest/gtest.h>

namespace proxyd::admin {
namespace {

using Names = std::vector<std::string>;

constexpr milliseconds kDrain{30'000};

class TargetSet : public testing::Test {
 protected:
  TargetSet() {
    request_.identity.name = "me";
    now_.canonical = Json{{"version", 1}, {"upstreams", {{"app", {{"membership", "dynamic"}}}}}};
    now_.document.upstreams["app"].membership = config::Membership::kDynamic;
  }
  SetEdit edit(const Json& targets) const { return {request_, "app", Json{{"targets", targets}}, kDrain, is_there}; }
  static bool is_there(const master::ActiveConfiguration& now, const std::string& id) {
    const auto material = now.targets.find("app/" + id);
    return material != now.targets.end() && !material->second.places.empty() &&
           material->second.admission == config::Admission::kReady;
  }
  // Made of what there is, which must be right.
  SetEdit put(const Json& targets) {
    SetEdit one = edit(targets);
    EXPECT_FALSE(one.refusal()) << one.refusal()->body;
    const auto refused = one.make(now_, members_);
    EXPECT_FALSE(refused) << refused->body;
    return one;
  }
  std::string pointer_of_fault(const Json& targets) {
    SetEdit one = edit(targets);
    auto refused = one.refusal();
    if (!refused) refused = one.make(now_, members_);
    return refused ? Json::parse(refused->body)["errors"][0]["pointer"].get<std::string>() : "none";
  }

  AdminRequest request_;
  master::ActiveConfiguration now_;
  MembersOfOne members_;
};

TEST_F(TargetSet, MayBeAListOfAddressesOrOfTargetsOrAMap) {
  for (const char* text :
       {R"(["x:1", "x:2"])", R"([{"address": "x:1"}, {"address": "x:2"}])",
        R"({"x-1": {"address": "x:1"}, "x-2": {"address": "x:2"}})", R"([{"id": "x-1", "address": "x:1"}, "x:2"])"}) {
    members_.clear();
    EXPECT_EQ(put(Json::parse(text)).added(), (Names{"x-1", "x-2"})) << text;
    EXPECT_EQ(members_.at("x-2").target.address, "x:2");
  }
}

TEST_F(TargetSet, SaysWhoIsNewWhoStaysAndWhoLeaves) {
  put({{"a", {{"address", "x:1"}}}, {"b", {{"address", "x:2"}}}, {"c", {{"address", "x:3"}}}});
  const SetEdit second =
      put({{"a", {{"address", "x:1"}}}, {"b", {{"address", "x:2"}, {"weight", 7}}}, {"d", {{"address", "x:4"}}}});
  EXPECT_EQ(second.added(), Names{"d"});
  EXPECT_EQ(second.kept(), (Names{"a", "b"}));
  EXPECT_EQ(second.changed(), Names{"b"});
  EXPECT_EQ(second.removed(), Names{"c"});
  EXPECT_FALSE(members_.at("c").leaving.empty());
  EXPECT_EQ(members_.at("b").target.weight, 7u);
}

TEST_F(TargetSet, WhatIsGivenAsAnAddressAloneStaysAsItIs) {
  put(Json::array({{{"id", "a"}, {"address", "x:1"}, {"weight", 7}, {"lease", "90s"}}}));
  const SetEdit bare = put(Json::array({"x:1"}));
  EXPECT_EQ(bare.kept(), Names{"a"});
  EXPECT_TRUE(bare.changed().empty());
  EXPECT_EQ(bare.leases().at("a"), milliseconds(90'000)) << "it is put again";
  EXPECT_EQ(put(Json::array({{{"address", "x:1"}}})).changed(), Names{"a"}) << "an object says all of it";
  EXPECT_EQ(members_.at("a").target.weight, 100u);
  EXPECT_EQ(members_.at("a").lease.count(), 0);
}

TEST_F(TargetSet, ThatIsPutTwiceChangesNothingTheSecondTime) {
  const Json set = {{"a", {{"address", "x:1"}, {"weight", 3}}}, {"b", {{"address", "[::1]:80"}, {"backup", true}}}};
  put(set);
  const uint64_t version = members_.at("a").version;
  const SetEdit again = put(set);
  EXPECT_TRUE(again.added().empty() && again.changed().empty() && again.removed().empty());
  EXPECT_EQ(members_.at("a").version, version);
}

TEST_F(TargetSet, AnAddressAloneMeansNoTargetThatTheSetNamesAndFirstThoseThatStay) {
  put(Json::parse(R"({"a": {"address": "x:1"}})"));
  for (int turn = 0; turn < 2; ++turn) {
    put(Json::parse(R"([{"id": "A", "address": "x:1"}, "x:1"])"));
    EXPECT_EQ(members_.size(), 2u);
  }
  put(Json::parse(R"({"A": {"address": "x:1"}})"));
  EXPECT_EQ(put(Json::array({"x:1"})).kept(), Names{"A"}) << "a leaves";
  put(Json::parse(R"([{"id": "A", "address": "x:9"}, "x:1"])"));
  EXPECT_TRUE(members_.at("a").leaving.empty());
}

TEST_F(TargetSet, WhoLeavesAndIsInTheNextOneStays) {
  put(Json::array({"x:1", "x:2"}));
  put(Json::array({"x:2"}));
  const uint64_t version = members_.at("x-1").version;
  EXPECT_EQ(put(Json::array({"x:1", "x:2"})).changed(), Names{"x-1"});
  EXPECT_TRUE(members_.at("x-1").leaving.empty());
  EXPECT_GT(members_.at("x-1").version, version) << "so that its removal, which is under way, is not of this one";
}

TEST_F(TargetSet, TellsWhereItIsWrong) {
  EXPECT_EQ(pointer_of_fault(Json::array({"x:1", "nonsense"})), "/targets/1/address");
  EXPECT_EQ(pointer_of_fault({{"a", {{"address", "x:1"}, {"wait", 1}}}}), "/targets/a/wait");
  EXPECT_EQ(pointer_of_fault({{"a", {{"address", "x:1"}}}, {"a b", {{"address", "x:1"}}}}), "/targets/a b");
  EXPECT_EQ(pointer_of_fault(Json::array({"x:1", "x/1"})), "/targets/1");
  EXPECT_EQ(pointer_of_fault(Json::array({{{"address", "x:1"}, {"lease", "1x"}}})), "/targets/0/lease");
  EXPECT_EQ(pointer_of_fault(Json::array({7})), "/targets/0");
  EXPECT_EQ(pointer_of_fault("x:1"), "/targets");
  EXPECT_EQ(edit(Json::array()).refusal()->status, 409);
}

TEST_F(TargetSet, CountsThoseThatAreUpAndNewOnesWhereNothingAsksThemFirst) {
  put(Json::array({"x:1", "x:2"}));
  now_.targets["app/x-1"].places = {{"x:1"}};
  now_.targets["app/x-2"] = {{{"x:2"}}, config::Admission::kMaintenance, std::nullopt};
  request_.query["min_up"] = "2";
  EXPECT_EQ(edit(Json::array({"x:1", "x:2"})).make(now_, members_)->status, 409);
  EXPECT_FALSE(edit(Json::array({"x:1", "x:3"})).make(now_, members_));
  now_.document.upstreams["app"].health.active.emplace();
  MembersOfOne members = members_;
  EXPECT_EQ(edit(Json::array({"x:1", "x:4"})).make(now_, members)->status, 409);
}

}   // namespace
}   // namespace proxyd::admin
