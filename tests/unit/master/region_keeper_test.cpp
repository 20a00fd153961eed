#include "master/region_keeper.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

constexpr uint32_t kRows = status::kTargetRows - 1;

// Targets "first" to "first + count - 1" of one upstream.
config::Document document_of(int first, uint32_t count) {
  config::Document document;
  config::Upstream& upstream = document.upstreams["u"];
  upstream.name = "u";
  for (uint32_t i = 0; i < count; ++i) {
    const std::string id = fmt::format("t{}", static_cast<uint32_t>(first) + i);
    upstream.targets[id] = config::Target{.id = id, .address = "192.0.2.1:80"};
  }
  return document;
}

// Where its targets are: each at its own address.
config::Materials places_of(const config::Document& document) {
  config::Materials materials;
  for (const auto& [id, target] : document.upstreams.at("u").targets)
    materials.targets["u/" + id].places = {{target.address}};
  return materials;
}

// A target that is a name, which is at these addresses now.
config::Materials name_at(const std::vector<std::string>& addresses) {
  config::Materials materials;
  for (const std::string& address : addresses) materials.targets["u/t0"].places.push_back({address});
  return materials;
}

class RowReuse : public testing::Test {
 protected:
  RowReuse() : keeper_(std::move(*RegionKeeper::create(8 << 20))) { keeper_.status().note_slot(1); }
  // A worker, as alive, that still holds `revision`.
  void holds(uint32_t slot, uint64_t revision) {
    keeper_.status().worker(slot).pid = slot + 1;
    keeper_.status().worker(slot).oldest_edition = config::edition_number(revision, 1);
  }
  // Rows of what comes into force.
  std::optional<config::Materials> serve(const config::Document& document, uint64_t revision) {
    return serve(document, places_of(document), revision, 1);
  }
  std::optional<config::Materials> serve(const config::Document& document, const config::Materials& places,
                                         uint64_t revision, uint64_t epoch) {
    auto rows = keeper_.assign_rows(document, places, config::edition_number(revision, epoch));
    if (!rows) return std::nullopt;
    config::Materials materials = rows->materials;
    keeper_.keep(std::move(*rows));
    return materials;
  }
  RegionKeeper keeper_;
};

TEST_F(RowReuse, ATargetKeepsItsRowWhileItIsNamedAndComesBackToIt) {
  const auto first = serve(document_of(0, 2), 1);
  const auto without = serve(document_of(1, 1), 2);
  const auto again = serve(document_of(0, 2), 3);
  ASSERT_TRUE(first && without && again);
  EXPECT_EQ(first->targets.at("u/t1").places.at(0).row, without->targets.at("u/t1").places.at(0).row);
  EXPECT_EQ(first->targets.at("u/t0").places.at(0).row, again->targets.at("u/t0").places.at(0).row);
}

TEST_F(RowReuse, ATargetWithAnotherAddressIsCountedAnewAndWhatWasAtTheFormerOneIsKnownToLeave) {
  holds(0, 1);
  config::Document document = document_of(0, 1);
  const auto first = serve(document, 1);
  document.upstreams.at("u").targets.at("t0").address = "192.0.2.2:80";
  const auto moved = serve(document, 2);
  ASSERT_TRUE(first && moved);
  const uint32_t former = first->targets.at("u/t0").places.at(0).row;
  EXPECT_NE(moved->targets.at("u/t0").places.at(0).row, former);
  EXPECT_EQ(moved->targets.at("u/t0").leaving, std::vector{former});
}

TEST_F(RowReuse, ARowIsGivenToAnotherOnlyWhenEveryWorkerHoldsSomethingNewer) {
  ASSERT_TRUE(serve(document_of(0, kRows), 1));
  holds(0, 3);
  holds(1, 1);   // a request of revision 1 still runs there
  ASSERT_TRUE(serve(document_of(0, 1), 2));
  EXPECT_FALSE(serve(document_of(10'000, 1), 3));
  holds(1, 2);
  const auto given = serve(document_of(10'000, 1), 3);
  ASSERT_TRUE(given);
  EXPECT_NE(given->targets.at("u/t10000").places.at(0).row, 0u) << "the row of t0, which revision 2 names, is not free";
}

TEST_F(RowReuse, ADeadWorkerHoldsNothing) {
  ASSERT_TRUE(serve(document_of(0, kRows), 1));
  holds(0, 2);
  holds(1, 1);
  keeper_.status().clear_worker(1);
  EXPECT_TRUE(serve(document_of(10'000, 1), 3));
}

TEST_F(RowReuse, WhatNeverServesUsesUpNoRow) {
  holds(0, 1);
  ASSERT_TRUE(serve(document_of(0, 4096), 1));
  for (int i = 1; i <= 20; ++i) {
    const config::Document document = document_of(10'000 * i, 4096);
    ASSERT_TRUE(keeper_.assign_rows(document, places_of(document), config::edition_number(2, 1))) << i;
  }
  EXPECT_TRUE(serve(document_of(0, 4096), 2));
}

TEST_F(RowReuse, ADocumentMayNameAllItsTargetsAnew) {
  holds(0, 1);
  ASSERT_TRUE(serve(document_of(0, 4096), 1));
  ASSERT_TRUE(serve(document_of(10'000, 4096), 2));
  holds(0, 2);
  ASSERT_TRUE(serve(document_of(20'000, 4096), 3)) << "those of revision 1 are free again";
}

TEST_F(RowReuse, AWorkerHoldsWhatIsInForceFromItsStartToItsDeath) {
  ASSERT_TRUE(serve(document_of(0, kRows), 1));
  keeper_.worker_started(0, 7, 99, config::edition_number(1, 1));
  EXPECT_EQ(keeper_.status().worker(0).incarnation, 7u);
  EXPECT_EQ(keeper_.status().worker(0).pid, 99u);
  EXPECT_FALSE(serve(document_of(10'000, 1), 2));
  keeper_.worker_died(0);
  EXPECT_TRUE(serve(document_of(10'000, 1), 2));
}

TEST_F(RowReuse, EachAddressOfANameHasARowOfItsOwnWhichItComesBackTo) {
  holds(0, 1);
  config::Document document = document_of(0, 1);
  document.upstreams.at("u").targets.at("t0").address = "app.test:80";
  const auto first = serve(document, name_at({"192.0.2.1:80", "192.0.2.2:80"}), 1, 1);
  const auto later = serve(document, name_at({"192.0.2.2:80", "192.0.2.3:80"}), 1, 2);
  const auto again = serve(document, name_at({"192.0.2.1:80"}), 1, 3);
  ASSERT_TRUE(first && later && again);
  const auto row = [](const auto& materials, size_t place) {
    return materials->targets.at("u/t0").places.at(place).row;
  };
  EXPECT_NE(row(first, 0), row(first, 1));
  EXPECT_EQ(row(first, 1), row(later, 0));
  EXPECT_EQ(row(first, 0), row(again, 0));
}

TEST_F(RowReuse, AnAddressThatLeftIsCountedForItsTargetUntilNoWorkerHoldsIt) {
  holds(0, 1);
  config::Document document = document_of(0, 2);   // t1 has its own row, which is never t0's
  document.upstreams.at("u").targets.at("t0").address = "app.test:80";
  const auto at = [](const char* address) {
    config::Materials materials = name_at({address});
    materials.targets["u/t1"].places = {{"192.0.2.1:80"}};
    return materials;
  };
  const auto first = serve(document, at("192.0.2.1:80"), 1, 1);
  const auto later = serve(document, at("192.0.2.2:80"), 1, 2);
  ASSERT_TRUE(first && later);
  const uint32_t former = first->targets.at("u/t0").places.at(0).row;
  EXPECT_TRUE(first->targets.at("u/t0").leaving.empty());
  EXPECT_EQ(later->targets.at("u/t0").leaving, std::vector{former});
  EXPECT_EQ(later->targets.at("u/t0").rows(), (std::vector{former, later->targets.at("u/t0").places.at(0).row}));
  EXPECT_TRUE(later->targets.at("u/t1").leaving.empty());
  keeper_.status().worker(0).oldest_edition = config::edition_number(1, 2);
  const auto last = serve(document, at("192.0.2.2:80"), 1, 3);
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->targets.at("u/t0").leaving.empty());
}

}   // namespace
}   // namespace proxyd::master
