#include "master/late_records.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <filesystem>

#include "master/store/sqlite_store.h"
#include "shared/base/unique_fd.h"

namespace proxyd::master {
namespace {

class LateRecordsTest : public testing::Test {
 protected:
  LateRecordsTest()
      : folder_(::mkdtemp(pattern_)),
        store_(std::move(*store::SqliteStore::open(folder_, log_))),
        records_(*store_, log_) {}
  ~LateRecordsTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  static store::Purge purge(uint64_t id) { return {id, "2026-01-01T00:00:00Z", "somebody", "hard", "{}", "why"}; }
  std::string listed(uint64_t before = 0, size_t limit = 100) {
    std::string ids;
    for (const store::Purge& one : records_.purges(before, limit)) ids += std::to_string(one.id) + " ";
    return ids;
  }

  char pattern_[32] = "/tmp/proxyd-records-XXXXXX";
  std::string folder_;
  UniqueFd nowhere_{::open("/dev/null", O_WRONLY)};
  Log log_{nowhere_.value(), "test"};
  std::unique_ptr<store::SqliteStore> store_;
  LateRecords records_;
};

TEST_F(LateRecordsTest, AreListedNewestFirstWhetherTheyAreWrittenOrNot) {
  for (uint64_t id = 1; id <= 3; ++id) records_.add(purge(id));
  EXPECT_EQ(listed(), "3 2 1 ");
  records_.write();
  records_.add(purge(4));
  EXPECT_EQ(listed(), "4 3 2 1 ");
  EXPECT_EQ(listed(3), "2 1 ");
  EXPECT_EQ(listed(0, 2), "4 3 ");
  records_.write();
  records_.write();
  LateRecords later(*store_, log_);
  EXPECT_EQ(later.purges(0, 100).size(), 4u);
  EXPECT_EQ(later.purges(0, 1).front().reason, "why");
}

TEST_F(LateRecordsTest, AnAuditEntryIsWrittenWithThem) {
  records_.add(store::AuditEntry{0, "now", "somebody", "POST /x", 200, ""});
  EXPECT_TRUE(store_->audit(0, 10)->empty());
  records_.write();
  ASSERT_EQ(store_->audit(0, 10)->size(), 1u);
  EXPECT_EQ(store_->audit(0, 10)->front().action, "POST /x");
}

TEST_F(LateRecordsTest, WaitOnWhileTheStoreCannotBeWritten) {
  rlimit former{};
  ::getrlimit(RLIMIT_FSIZE, &former);
  ::signal(SIGXFSZ, SIG_IGN);
  for (uint64_t id = 1; id <= 2; ++id) records_.add(purge(id));
  const rlimit full{0, former.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  records_.write();
  EXPECT_EQ(listed(), "2 1 ");
  EXPECT_TRUE(store_->purges(0, 10)->empty());
  records_.add(purge(3));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &former), 0);
  records_.write();
  EXPECT_EQ(store_->purges(0, 10)->size(), 3u);
  EXPECT_EQ(listed(), "3 2 1 ");
}

TEST_F(LateRecordsTest, AreBoundedWhileTheyWaitAndInTheStore) {
  for (uint64_t id = 1; id <= 1100; ++id) records_.add(purge(id));
  EXPECT_EQ(records_.purges(0, 5000).size(), 1024u);
  EXPECT_EQ(records_.purges(0, 1).front().id, 1100u);
  ASSERT_TRUE(store_->append({{purge(1), purge(2), purge(3)}, {}}, 2));
  EXPECT_EQ(store_->purges(0, 10)->size(), 2u);
  EXPECT_EQ(store_->purges(0, 10)->back().id, 2u);
}

TEST_F(LateRecordsTest, NumbersRiseEachOnce) {
  uint64_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t next = records_.next_id();
    ASSERT_GT(next, last);
    last = next;
  }
}

}   // namespace
}   // namespace proxyd::master
