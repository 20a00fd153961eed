#include "master/store/sqlite_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "shared/base/unique_fd.h"

namespace proxyd::store {
namespace {

namespace fs = std::filesystem;

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() : folder_(::mkdtemp(pattern_)) {}
  ~SqliteStoreTest() override { fs::remove_all(folder_); }

  std::unique_ptr<SqliteStore> open() {
    auto opened = SqliteStore::open(folder_, log_);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    return opened ? std::move(*opened) : nullptr;
  }
  static Revision revision(uint64_t number, const std::string& canonical = "{}") {
    return {number, number - 1, "2026-01-01T00:00:00.000Z", "somebody", "api", "why", canonical, "version: 1\n", true};
  }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  static void spoil(const std::string& path) {
    std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(4096);
    out << std::string(3 * 4096, '\xA5');
  }

  char pattern_[32] = "/tmp/proxyd-store-XXXXXX";
  std::string folder_;
  UniqueFd nowhere_{::open("/dev/null", O_WRONLY)};
  Log log_{nowhere_.value(), "test"};
};

TEST_F(SqliteStoreTest, KeepsRevisionsOverAReopenWithExactlyOneActive) {
  {
    auto store = open();
    EXPECT_EQ(*store->next_revision_number(), 1u);
    EXPECT_FALSE(*store->active_revision());
    ASSERT_TRUE(store->commit_revision(revision(1), {}, {}));
    ASSERT_TRUE(store->commit_revision(revision(2, R"({"version":1})"), {}, {}));
  }
  auto store = open();
  const auto active = store->active_revision();
  ASSERT_TRUE(active && *active);
  EXPECT_EQ((*active)->number, 2u);
  EXPECT_EQ((*active)->parent, 1u);
  EXPECT_EQ((*active)->canonical, R"({"version":1})");
  EXPECT_EQ((*active)->source, "version: 1\n");
  const auto all = store->list_revisions(0, 10);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2u);
  EXPECT_TRUE((*all)[0].active);
  EXPECT_FALSE((*all)[1].active);
  EXPECT_TRUE(store->degraded().empty());
}

TEST_F(SqliteStoreTest, RefusesARevisionWhoseParentIsNotActiveAnyMore) {
  auto store = open();
  ASSERT_TRUE(store->commit_revision(revision(1), {}, {}));
  Revision stale = revision(2);
  stale.parent = 0;
  const auto committed = store->commit_revision(stale, {}, {});
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().kind, Failure::Kind::kConflict);
  EXPECT_EQ((*store->active_revision())->number, 1u);
}

TEST_F(SqliteStoreTest, GivesARevisionTheNumberItBringsAndRefusesOneThatIsTaken) {
  auto store = open();
  Revision first = revision(1);
  first.number = 7;
  ASSERT_TRUE(store->commit_revision(first, {}, {}));
  EXPECT_EQ((*store->active_revision())->number, 7u);
  EXPECT_EQ(*store->next_revision_number(), 8u);
  Revision again = revision(7);
  again.parent = 7;
  EXPECT_FALSE(store->commit_revision(again, {}, {}));
  EXPECT_EQ((*store->active_revision())->number, 7u);
  EXPECT_EQ((*store->active_revision())->parent, 0u);
}

TEST_F(SqliteStoreTest, KeepsTextsWithEveryOctetOfUtf8) {
  auto store = open();
  const std::string odd = "{\"a\":\"é\\u0000'\\\"; DROP TABLE revisions; --\"}";
  ASSERT_TRUE(store->commit_revision(revision(1, odd), {}, {}));
  EXPECT_EQ((*store->read_revision(1))->canonical, odd);
}

TEST_F(SqliteStoreTest, PutsReplacesAndRemovesOverrides) {
  auto store = open();
  Override one{"target:a/b:admission", "drain", "", "me", "why", "2026-01-01T00:00:00.000Z", ""};
  ASSERT_TRUE(store->put_override(one));
  one.kind = "maintenance";
  ASSERT_TRUE(store->put_override(one));
  ASSERT_EQ(store->overrides()->size(), 1u);
  EXPECT_EQ((*store->overrides())[0].kind, "maintenance");
  EXPECT_TRUE(*store->remove_override(one.subject));
  EXPECT_FALSE(*store->remove_override(one.subject));
}

TEST_F(SqliteStoreTest, DropsOverridesWithTheRevisionThatNamesTheirTargetsNoMoreOrKeepsBoth) {
  auto store = open();
  const Override one{"target:app/one:admission", "drain", "", "me", "", "now", ""};
  const Override two{"target:app/two:admission", "drain", "", "me", "", "now", ""};
  ASSERT_TRUE(store->put_override(one) && store->put_override(two));
  Revision stale = revision(1);
  stale.parent = 7;
  EXPECT_FALSE(store->commit_revision(stale, {}, {{one}, {}}));
  EXPECT_EQ(store->overrides()->size(), 2u);
  ASSERT_TRUE(store->commit_revision(revision(1), {}, {{one}, {}}));
  ASSERT_EQ(store->overrides()->size(), 1u);
  EXPECT_EQ(store->overrides()->front().subject, two.subject);
}

DynamicTarget dynamic_target(const std::string& upstream, const std::string& id) {
  return {upstream, id, R"({"address":"x:1"})", 90'000, 1'764'280'000'000'001, "me", "now", false};
}

TEST_F(SqliteStoreTest, KeepsDynamicTargetsWithAllThatIsKnownOfThem) {
  const DynamicTarget one = dynamic_target("app", "one");
  DynamicTarget leaving = dynamic_target("app", "two");
  leaving.leaving = true;
  leaving.lease_ms = 0;
  ASSERT_TRUE(open()->change_members({{one, leaving}, {}, {}, {}}));
  auto store = open();
  auto rows = store->dynamic_targets();
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].target, one.target);
  EXPECT_EQ((*rows)[0].lease_ms, 90'000);
  EXPECT_EQ((*rows)[0].version, one.version);
  EXPECT_FALSE((*rows)[0].leaving);
  EXPECT_TRUE((*rows)[1].leaving);
  const Override drain{"target:app/one:admission", "drain", "", "me", "", "now", ""};
  ASSERT_TRUE(store->put_override(drain));
  ASSERT_TRUE(store->change_members({{dynamic_target("app", "two")}, {one}, {drain}, {{.author = "lease"}}}));
  rows = store->dynamic_targets();
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_FALSE((*rows)[0].leaving);
  EXPECT_TRUE(store->overrides()->empty());
  EXPECT_EQ(store->audit(0, 10)->size(), 1u);
}

TEST_F(SqliteStoreTest, DropsTheDynamicTargetsOfAnUpstreamWithTheRevisionThatHasItNoMoreOrKeepsBoth) {
  auto store = open();
  ASSERT_TRUE(store->change_members({{dynamic_target("app", "one"), dynamic_target("api", "one")}, {}, {}, {}}));
  Revision stale = revision(1);
  stale.parent = 7;
  EXPECT_FALSE(store->commit_revision(stale, {}, {{}, {"app"}}));
  EXPECT_EQ(store->dynamic_targets()->size(), 2u);
  ASSERT_TRUE(store->commit_revision(revision(1), {}, {{}, {"app"}}));
  ASSERT_EQ(store->dynamic_targets()->size(), 1u);
  EXPECT_EQ(store->dynamic_targets()->front().upstream, "api");
}

TEST_F(SqliteStoreTest, AnswersManyThreadsAtOnce) {
  auto store = open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&store, i] {
      for (int k = 0; k < 25; ++k)
        EXPECT_TRUE(store->append_audit({0, "now", "thread", "PUT /" + std::to_string(i), 200, ""}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store->audit(0, 200)->size(), 100u);
}

TEST_F(SqliteStoreTest, IsReadableByItsOwnerAlone) {
  auto store = open();
  ASSERT_TRUE(store->commit_revision(revision(1), {}, {}));
  ASSERT_TRUE(store->back_up());
  for (const char* name : {"proxyd.db", "proxyd.db-wal", "backup-0.db"}) {
    struct stat status{};
    ASSERT_EQ(::stat(file(name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(SqliteStoreTest, KeepsThreeCopiesAndMakesNoneOfWhatDidNotChange) {
  auto store = open();
  for (uint64_t number = 1; number <= 5; ++number) {
    ASSERT_TRUE(store->commit_revision(revision(number), {}, {}));
    ASSERT_TRUE(store->back_up());
  }
  const auto newest = fs::last_write_time(Copies(folder_).newest_first().front());
  EXPECT_EQ(Copies(folder_).newest_first().size(), 3u);
  ASSERT_TRUE(store->back_up());
  EXPECT_EQ(fs::last_write_time(Copies(folder_).newest_first().front()), newest);
}

TEST_F(SqliteStoreTest, AnswersWhileItIsCopied) {
  auto store = open();
  for (int i = 0; i < 24; ++i)
    ASSERT_TRUE(store->append_audit({0, "now", "me", "PUT /", 200, std::string(1 << 20, 'x')}));
  std::atomic<bool> copied{false};
  std::thread copier([&] {
    EXPECT_TRUE(store->back_up());
    copied = true;
  });
  const auto written = [this] {
    std::error_code missing;
    const auto size = fs::file_size(file("backup.new"), missing);
    return missing ? 0 : size;
  };
  uintmax_t at_first_answer = 0;   // how much was copied when an answer came that was asked for during the copy
  while (!copied && at_first_answer == 0) {
    const bool begun = written() > 0;
    EXPECT_TRUE(store->session("nobody's"));
    if (begun) at_first_answer = written();
  }
  copier.join();
  EXPECT_LT(at_first_answer, fs::file_size(Copies(folder_).newest_first().front()));
}

TEST_F(SqliteStoreTest, TellsEachErrorOfTheDatabase) {
  auto store = open();
  int errors = 0;
  store->on_error([&errors] { ++errors; });
  ASSERT_TRUE(store->add_token({"same", "me", "digest", {}, "now", ""}));
  EXPECT_EQ(errors, 0);
  EXPECT_FALSE(store->add_token({"same", "me", "digest", {}, "now", ""}));
  EXPECT_EQ(errors, 1);
}

TEST_F(SqliteStoreTest, SetsADamagedFileAsideUnchangedAndServesTheNewestWholeCopy) {
  {
    auto store = open();
    for (uint64_t number = 1; number <= 2; ++number) {
      ASSERT_TRUE(store->commit_revision(revision(number), {}, {}));
      ASSERT_TRUE(store->back_up());
    }
  }
  spoil(Copies(folder_).newest_first().front());
  spoil(file("proxyd.db"));
  const auto size = fs::file_size(file("proxyd.db"));
  auto store = open();
  EXPECT_EQ((*store->active_revision())->number, 1u);
  EXPECT_NE(store->degraded().find("damaged"), std::string::npos);
  size_t kept = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().filename().string().starts_with("proxyd.db.damaged-") && entry.file_size() == size) ++kept;
  }
  EXPECT_GE(kept, 1u);
}

TEST_F(SqliteStoreTest, BeginsEmptyWhenNothingIsWhole) {
  std::ofstream(file("proxyd.db")) << std::string(20000, 'x');
  std::ofstream(file("backup-0.db")) << std::string(20000, 'y');
  auto store = open();
  ASSERT_TRUE(store);
  EXPECT_FALSE(*store->active_revision());
  EXPECT_NE(store->degraded().find("no good copy"), std::string::npos);
  EXPECT_TRUE(store->commit_revision(revision(1), {}, {}));
}

TEST_F(SqliteStoreTest, SaysThatTheDiskIsFullAndGoesOnWhenItIsNotAnyMore) {
  auto store = open();
  ASSERT_TRUE(store->commit_revision(revision(1), {}, {}));
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit former{};
  ::getrlimit(RLIMIT_FSIZE, &former);
  const rlimit tight{4096, former.rlim_max};   // no file may grow
  ::setrlimit(RLIMIT_FSIZE, &tight);
  const auto failed = store->commit_revision(revision(2), {}, {});
  const auto copied = store->back_up();
  ::setrlimit(RLIMIT_FSIZE, &former);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, Failure::Kind::kFull);
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().kind, Failure::Kind::kFull);
  EXPECT_EQ((*store->active_revision())->number, 1u);
  ASSERT_TRUE(store->commit_revision(revision(2), {}, {}));
  EXPECT_EQ((*store->active_revision())->number, 2u);
  EXPECT_TRUE(store->back_up());
}

TEST_F(SqliteStoreTest, PeeksWithoutMakingOrChangingAnything) {
  EXPECT_FALSE(*SqliteStore::peek(folder_));
  EXPECT_TRUE(fs::is_empty(folder_));
  {
    ASSERT_TRUE(open()->commit_revision(revision(1), {}, {}));
  }
  const auto before = fs::last_write_time(file("proxyd.db"));
  const auto peeked = SqliteStore::peek(folder_);
  ASSERT_TRUE(peeked && *peeked);
  EXPECT_EQ((*peeked)->number, 1u);
  EXPECT_EQ(fs::last_write_time(file("proxyd.db")), before);
}

}   // namespace
}   // namespace proxyd::store
