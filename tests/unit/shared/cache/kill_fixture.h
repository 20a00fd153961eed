#pragma once

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>

#include "shared/cache/head_block.h"
#include "shared/cache/step.h"
#include "shared/cache/subjects.h"
#include "tests/unit/shared/cache/cache_fixture.h"

// Needs PROXYD_TEST_HOOKS.
namespace proxyd::cache {

inline constexpr uint32_t kMostSteps = 200'000;

// What children tell: in memory shared with them.
struct Trace {
  uint32_t count;
  uint32_t end_at;   // 0: never; else the count at which the process ends
  std::array<const char*, kMostSteps> names;
};

inline Trace& trace() {
  static auto* shared =
      static_cast<Trace*>(::mmap(nullptr, sizeof(Trace), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return *shared;
}

inline void note(const char* name) {
  Trace& it = trace();
  if (it.count < kMostSteps) it.names[it.count] = name;
  ++it.count;
  if (it.count == it.end_at) ::_exit(9);
}

class KillTest : public CacheTest {
 protected:
  static constexpr uint32_t kMaster = kWorkerSlots;
  static constexpr uint64_t kSmallest = 8u << 20;
  static constexpr unsigned kKeys = 28;

  KillTest() : CacheTest(kSmallest) {}

  void renew() {
    follow_no_longer();
    first_.reset();
    second_.reset();
    region_ = std::move(create_region(kSmallest)).value();
    view_ = view_of(region_);
  }

  static size_t size_of(unsigned number) {
    static constexpr std::array<size_t, 7> sizes{10, 3'000, 20'000, 70'000, 300'000, 1'300'000, 600};
    return sizes[number % sizes.size()];
  }
  static std::string key_of(unsigned number) { return "http://host/" + std::to_string(number); }

  // Asked for twice, so that what is large is wanted.
  static void fetch(Cache& cache, unsigned number, bool length_known = true) {
    const std::string key = key_of(number);
    cache.find(key, cache.published(), 0);
    const Lookup found = cache.find(key, cache.published(), 0);
    FillLock lock = cache.begin_fill(key, cache.published(), 0, found.response ? &found.response : nullptr);
    if (lock.outcome == FillLock::Outcome::follow && lock.response.progress().orphaned) {
      lock.filler = cache.take_over(lock.response);
    }
    if (!lock.filler) return;
    const std::array stamps{cache.stamps().stamp_of(StampKind::tag, "t" + std::to_string(number % 5))};
    const std::string content = text_of(size_of(number), number);
    Head head{.metadata = key, .section = "Server: s\r\n", .stamps = stamps};
    if (length_known) head.length = content.size();
    if (lock.filler.response().state() == State::opening && lock.filler.set_head(head) != Written::ok) return;
    const std::string_view rest = std::string_view(content).substr(lock.filler.response().filled());
    if (lock.filler.append(rest) != rest.size()) return;
    lock.filler.complete();
  }

  static void freshen(Cache& cache, unsigned number) {
    const std::string key = key_of(number);
    const Lookup stale = cache.find(key, cache.published(), 0);
    if (stale.outcome != Lookup::Outcome::found) return;
    const Revalidation claim = cache.begin_revalidation(stale.response);
    if (claim) cache.freshen(stale.response, Head{.metadata = key, .section = "Server: other\r\n"}, cache.published());
  }

  static void purge(Cache& cache, std::string_view tag, PurgeMode mode) {
    const std::array stamps{cache.stamps().stamp_of(StampKind::tag, tag),
                            cache.stamps().stamp_of(StampKind::everything, "")};
    cache.stamps().purge(std::span(stamps).first(1), mode);
  }

  static std::optional<uint64_t> ban(Cache& cache, std::string_view host, std::string_view expression) {
    const std::array hosts{cache.stamps().stamp_of(StampKind::host, host)};
    return cache.bans().ban({BanKind::path, hosts, expression}, {}, PurgeMode::hard);
  }

  static bool keep(Cache& cache, std::string_view url) {
    const StampList stamps = stamps_of(cache.stamps(), url, {}, false);
    return store(cache, url, "x", stamps.stamps());
  }

  static void tend(Cache& cache) {
    for (int64_t now = 1; now < 400; now += 6) cache.tend(now);
  }

  // Everything a worker and a master do, in a region that is too small for it.
  static void work(Cache& cache) {
    cache.limit_memory(5u << 20);
    for (unsigned i = 0; i < 14; ++i) fetch(cache, i, i % 4 != 3);
    for (unsigned i = 0; i < 12; ++i) freshen(cache, i % 4);
    tend(cache);
    purge(cache, "t1", PurgeMode::hard);
    purge(cache, "t2", PurgeMode::soft);
    for (unsigned i = 0; i < 5; ++i) fetch(cache, i);
    for (uint32_t i = 0; i < 3; ++i) ban(cache, "host", "/" + std::to_string(i) + "$");
    cache.drop(key_of(3));
    cache.begin_fill("never", 0, 0).filler.not_cacheable(100);
    FillLock follower = cache.begin_fill("dropped", 0, 0);
    if (follower.filler) follower.filler.response().arm();
    follower = {};
    tend(cache);
    for (unsigned i = 14; i < kKeys; ++i) fetch(cache, i);
    cache.release_pages(2);
    cache.limit_memory(3u << 20);
    tend(cache);
    cache.limit_memory(kSmallest);
  }

  // In a child, which ends at its `end_at`th step: true when it came to its own end.
  bool child(uint32_t slot, const std::function<void(Cache&)>& what, uint32_t end_at = 0) {
    trace().count = 0;
    trace().end_at = end_at;
    const pid_t pid = ::fork();
    if (pid == 0) {
      at_step = note;
      {
        Cache cache(view_, slot, ++incarnation_);
        what(cache);
      }
      ::_exit(0);
    }
    ++incarnation_;
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9)) << status;
    return status == 0;
  }

  std::vector<const char*> steps_of(const std::function<void(Cache&)>& what) {
    EXPECT_TRUE(child(0, what));
    return {trace().names.begin(), trace().names.begin() + std::min(trace().count, kMostSteps)};
  }

  void expect_right_bytes(Cache& cache) {
    for (unsigned i = 0; i < kKeys; ++i) {
      const Lookup found = cache.find(key_of(i), cache.published(), 0);
      if (found.outcome != Lookup::Outcome::found || found.response.state() != State::complete) continue;
      EXPECT_EQ(found.response.metadata(), key_of(i));
      EXPECT_TRUE(content_of(found.response) == text_of(size_of(i), i)) << key_of(i);
    }
  }

  // What others may be served now: it lives in the index until somebody lets it go. A row and its key.
  std::map<ObjectIndex, std::string> complete_ones() const {
    std::map<ObjectIndex, std::string> rows;
    for (ObjectIndex index = 0; index < view_.object_count(); ++index) {
      const Object& object = view_.object(index);
      const Life life = Life::of(object.life.load());
      if (life.dead || life.state != State::complete) continue;
      rows[index] = view_.head_of(object)->key();
    }
    return rows;
  }
  static void expect_found(Cache& cache, const std::map<ObjectIndex, std::string>& rows, std::string_view when) {
    for (const auto& [index, key] : rows) {
      const Lookup found = cache.find(key, cache.published(), 0);
      EXPECT_TRUE(found.response && found.response.index() == index) << key << " is lost " << when;
    }
  }

  // Index, queues, lists and sums agree with the rows, whatever of blocks, claims and pins is left to the master.
  void expect_whole_shards() {
    for (const std::string& fault : faults_of(view_)) {
      const auto says = [&fault](std::string_view what) { return fault.find(what) != std::string::npos; };
      EXPECT_FALSE(says("shard ") || says("in the index") || says("weighs")) << fault;
    }
  }

  // One fill that has a head and half of its content, and one without, of a worker that died; who follows them waits
  // for whoever takes them over.
  void leave_orphans() {
    EXPECT_FALSE(child(0, [](Cache& cache) {
      FillLock half = cache.begin_fill(key_of(2), 0, 0);
      half.filler.set_head(Head{.metadata = key_of(2), .section = "Server: s\r\n", .length = size_of(2)});
      half.filler.append(text_of(size_of(2), 2).substr(0, size_of(2) / 2));
      FillLock opening = cache.begin_fill(key_of(4), 0, 0);
      ::_exit(9);
    }));
    follower_ = std::make_unique<Cache>(view_, 2, 1);
    for (const unsigned number : {2, 4}) followed_.push_back(follower_->begin_fill(key_of(number), 0, 0));
    Cache master(view_, kMaster, 1);
    ASSERT_TRUE(master.worker_died(0));
    for (const FillLock& one : followed_) ASSERT_TRUE(one.response.progress().orphaned);
  }
  void follow_no_longer() {
    followed_.clear();
    follower_.reset();
  }

  // After the deaths of slots: the master clears away, a living worker goes on, and everything adds up.
  void expect_recovery(std::initializer_list<uint32_t> dead, std::string_view where, bool before_all = true) {
    SCOPED_TRACE(where);
    Cache master(view_, kMaster + 1, 1);
    Cache worker(view_, 1, 1);
    if (before_all) {
      const auto rows = complete_ones();
      expect_found(worker, rows, "before any repair");
      ASSERT_TRUE(worker.drop("nothing"));   // takes the lock of the only shard, no more
      expect_found(worker, rows, "by the repair");
      expect_whole_shards();
    }
    for (unsigned i = 0; i < 5; ++i) fetch(worker, i);   // meets what the dead one left before the master does
    const auto rows = complete_ones();
    for (const uint32_t slot : dead) ASSERT_TRUE(master.worker_died(slot));
    expect_found(worker, rows, "by the master");
    expect_right_bytes(worker);
    work(worker);
    expect_right_bytes(worker);
    follow_no_longer();
    for (int64_t now = 1000; now < 20'000; now += 6) worker.tend(now);
    const auto faults = faults_of(view_);
    EXPECT_TRUE(faults.empty()) << faults.size() << " faults, the first: " << faults.front();
  }

  uint64_t incarnation_ = 1;
  std::unique_ptr<Cache> follower_;
  std::vector<FillLock> followed_;
};

// The places where each step is passed.
inline std::map<std::string, std::vector<uint32_t>> places_of(const std::vector<const char*>& names) {
  std::map<std::string, std::vector<uint32_t>> places;
  for (uint32_t i = 0; i < names.size(); ++i) places[names[i]].push_back(i + 1);
  return places;
}

}   // namespace proxyd::cache
