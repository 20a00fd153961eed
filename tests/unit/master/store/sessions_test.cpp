#include "master/store/sqlite_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

namespace proxyd::store {
namespace {

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string pattern = "/tmp/proxyd-store-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    open();
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    store_.reset();
    auto opened = SqliteStore::open(folder_, log_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }

  std::string folder_;
  Log log_{2, "test"};
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(StoreTest, KeepsTheVersionsOfObjectsWithTheirRevision) {
  ASSERT_TRUE(store_->commit_revision({.number = 1, .canonical = "{}", .active = true},
                                      {{"upstreams/a", 1}, {"upstreams/b", 1}}, {}));
  ASSERT_TRUE(
      store_->commit_revision({.number = 2, .parent = 1, .canonical = "{}", .active = true}, {{"upstreams/a", 2}}, {}));
  EXPECT_FALSE(store_->commit_revision({.number = 3, .parent = 1, .canonical = "{}", .active = true}, {}, {}));
  open();
  EXPECT_EQ(*store_->object_versions(), (ObjectVersions{{"upstreams/a", 2}}));
}

TEST_F(StoreTest, KeepsTheNewestSessionsAndDropsWhatExpired) {
  ASSERT_TRUE(
      store_->add_session({"old", "session:a", {"read"}, "2026-01-01T00:00:00.000Z", "2026-01-01T12:00:00.000Z"}, 2));
  for (const char* digest : {"1", "2", "3"})
    ASSERT_TRUE(store_->add_session({digest,
                                     "session:a",
                                     {"read", "logs"},
                                     std::string("2026-02-01T00:00:0") + digest + ".000Z",
                                     "2026-02-02T00:00:00.000Z"},
                                    2));
  EXPECT_FALSE(*store_->session("old"));
  EXPECT_FALSE(*store_->session("1"));
  EXPECT_EQ((*store_->session("3"))->scopes, (std::vector<std::string>{"read", "logs"}));
  EXPECT_TRUE(*store_->remove_session("3"));
  EXPECT_FALSE(*store_->session("3"));
}

TEST_F(StoreTest, TakesHostileTextAsText) {
  const std::string text = "x'); DROP TABLE audit;--";
  ASSERT_TRUE(store_->append_audit({0, "t", text, text, 422, text}));
  EXPECT_EQ(store_->audit(0, 10)->front().author, text);
  EXPECT_FALSE(*store_->remove_token(text));
}

TEST_F(StoreTest, IsReadableByItsOwnerAlone) {
  struct stat about{};
  ASSERT_EQ(::stat((folder_ + "/proxyd.db").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
}

}   // namespace
}   // namespace proxyd::store
