#include "master/row_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

TEST(RowTable, ANameWhoseAddressesChangeForeverNeverRunsOutOfRows) {
  RowTable table(4);
  for (uint64_t edition = 1; edition <= 100; ++edition) {
    table.begin(edition, edition == 1 ? 1 : edition - 1);
    ASSERT_TRUE(table.take(fmt::format("u/t@{}", edition))) << edition;
  }
}

TEST(RowTable, WhatIsLeavingIsOfThatNameAloneAndMayStillBeHeld) {
  RowTable table(8);
  table.begin(1, 1);
  for (const char* name : {"u/t@a", "u/t@b", "u/t1@a", "u/s@a"}) ASSERT_TRUE(table.take(name));
  table.begin(2, 1);
  const uint32_t staying = *table.take("u/t@b");
  EXPECT_EQ(staying, 1u);
  EXPECT_EQ(table.leaving("u/t@"), std::vector<uint32_t>{0});
  EXPECT_EQ(table.leaving("u/t1@"), std::vector<uint32_t>{2});
  table.begin(3, 2);   // nobody holds the first edition any more
  EXPECT_EQ(table.leaving("u/t@"), std::vector<uint32_t>{staying});
  EXPECT_TRUE(table.leaving("u/t1@").empty());
}

}   // namespace
}   // namespace proxyd::master
