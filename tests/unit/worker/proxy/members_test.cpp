#include <gtest/gtest.h>

#include "tests/unit/worker/proxy/stored/worker_fixture.h"
#include "worker/proxy/configuration.h"

namespace proxyd::proxy {
namespace {

using config::Admission;

// One upstream, "app", whose target "one" has weight 50 and "two" is a backup.
class Members : public WorkerTest {
 protected:
  std::shared_ptr<const Configuration> built(std::vector<config::TargetPlace> one,
                                             std::optional<uint32_t> weight = {}) {
    const std::string document = R"({"version": 1, "upstreams": {"app": {"targets": {
      "one": {"address": "app.test:80", "weight": 50}, "two": {"address": "192.0.2.9:80", "backup": true}}}}})";
    config::Materials materials;
    materials.targets["app/one"] = {std::move(one), Admission::kReady, weight};
    materials.targets["app/two"] = {{{"192.0.2.9:80", 9}}, Admission::kReady, std::nullopt};
    auto made = builder_.build({1, ++epoch_, document, materials});
    EXPECT_TRUE(made) << made.error().text;
    builder_.settle(**made);
    return *made;
  }
  static std::vector<uint32_t> weights(const Configuration& configuration) {
    std::vector<uint32_t> all;
    for (const upstream::Member& member : configuration.upstreams.at("app").members) all.push_back(member.weight);
    return all;
  }

  static std::vector<uint16_t> members_of(const upstream::Standing::List& list) {
    std::vector<uint16_t> members;
    for (const upstream::Standing::Candidate& one : list) members.push_back(one.member);
    return members;
  }

  uint64_t epoch_ = 0;
  ConfigurationBuilder builder_{services(), &metrics_, nullptr};
};

TEST_F(Members, EachAddressOfATargetIsOneOfItsWeightAndCountedInItsRow) {
  const auto configuration = built({{"192.0.2.1:80", 1}, {"192.0.2.2:80", 2}});
  const upstream::UpstreamGroup& group = configuration->upstreams.at("app");
  ASSERT_EQ(group.members.size(), 3u);
  EXPECT_EQ(weights(*configuration), (std::vector<uint32_t>{50, 50, 100}));
  EXPECT_EQ(group.members[0].id, "one");
  EXPECT_EQ(group.members[1].id, "one");
  EXPECT_EQ(group.members[1].target->row(), 2u);
  EXPECT_EQ(group.members[1].target->where(), "192.0.2.2:80");
  const upstream::Standing& standing = group.standing_at(Clock::now());
  EXPECT_EQ(members_of(standing.primaries()), (std::vector<uint16_t>{0, 1}));
  EXPECT_EQ(members_of(standing.backups()), (std::vector<uint16_t>{2}));
}

TEST_F(Members, SharesDivideTheWeightAndAReserveIsABackup) {
  const auto configuration = built({{"192.0.2.1:80", 1, 150}, {"192.0.2.2:80", 2, 1}, {"192.0.2.3:80", 3, 100, true}});
  EXPECT_EQ(weights(*configuration), (std::vector<uint32_t>{75, 1, 50, 100}));
  const upstream::Standing& standing = configuration->upstreams.at("app").standing_at(Clock::now());
  EXPECT_EQ(members_of(standing.backups()), (std::vector<uint16_t>{2, 3}));
  EXPECT_EQ(weights(*built({{"192.0.2.1:80", 1, 150}}, 0)), (std::vector<uint32_t>{0, 100})) << "0 stays 0";
}

TEST_F(Members, ATargetWithoutAnAddressIsThereAndGetsNothing) {
  const auto configuration = built({});
  const upstream::UpstreamGroup& group = configuration->upstreams.at("app");
  ASSERT_EQ(group.members.size(), 2u);
  EXPECT_FALSE(group.members[0].is_admitted());
  EXPECT_TRUE(group.standing_at(Clock::now()).primaries().empty());
}

TEST_F(Members, AnAddressThatStaysKeepsItsConnectionsWhateverJoinsOrLeaves) {
  const auto before = built({{"192.0.2.1:80", 1}, {"192.0.2.2:80", 2}});
  const auto after = built({{"192.0.2.2:80", 2}, {"192.0.2.3:80", 3}});
  EXPECT_EQ(before->upstreams.at("app").members[1].target, after->upstreams.at("app").members[0].target);
  EXPECT_EQ(before->upstreams.at("app").members[0].target->pool().limits().max_idle, 0u) << "nothing rests there now";
}

}   // namespace
}   // namespace proxyd::proxy
