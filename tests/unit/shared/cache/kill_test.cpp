// A process ends at every named step between two writes to the region, each step for itself; what it leaves is
// repaired, serves no wrong byte, and accounts for every block.
// Not under TSan, which knows no processes.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef PROXYD_TEST_HOOKS
#endif
#endif
#ifdef PROXYD_TEST_HOOKS

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>

#include "shared/cache/step.h"
#include "shared/cache/subjects.h"
#include "tests/unit/shared/cache/cache_fixture.h"

namespace proxyd::cache {
namespace {

constexpr uint32_t kMostSteps = 200'000;

// What children tell: in memory shared with them.
struct Trace {
  uint32_t count;
  uint32_t end_at;        // 0: never; else the count at which the process ends
  const char* end_name;   // or the first step of this name at or behind `end_from`
  uint32_t end_from;
  std::array<const char*, kMostSteps> names;
};

Trace& trace() {
  static auto* shared =
      static_cast<Trace*>(::mmap(nullptr, sizeof(Trace), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return *shared;
}

void note(const char* name) {
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

  // After the deaths of slots: the master clears away, a living worker goes on, and everything adds up.
  void expect_recovery(std::initializer_list<uint32_t> dead, std::string_view where) {
    SCOPED_TRACE(where);
    Cache master(view_, kMaster + 1, 1);
    Cache worker(view_, 1, 1);
    for (unsigned i = 0; i < 5; ++i) fetch(worker, i);   // meets what the dead one left before the master does
    for (const uint32_t slot : dead) ASSERT_TRUE(master.worker_died(slot));
    expect_right_bytes(worker);
    work(worker);
    expect_right_bytes(worker);
    for (int64_t now = 1000; now < 20'000; now += 6) worker.tend(now);
    const auto faults = faults_of(view_);
    EXPECT_TRUE(faults.empty()) << faults.size() << " faults, the first: " << faults.front();
  }

  uint64_t incarnation_ = 1;
};

// The places where each step is passed.
std::map<std::string, std::vector<uint32_t>> places_of(const std::vector<const char*>& names) {
  std::map<std::string, std::vector<uint32_t>> places;
  for (uint32_t i = 0; i < names.size(); ++i) places[names[i]].push_back(i + 1);
  return places;
}

TEST_F(KillTest, EveryStepOfAWorkerCanBeItsLast) {
  renew();
  const auto names = steps_of(work);
  ASSERT_LT(names.size(), kMostSteps);
  const auto places = places_of(names);
  EXPECT_GT(places.size(), 80u);
  for (const auto& [name, at] : places) {
    renew();
    EXPECT_FALSE(child(0, work, at[at.size() / 3])) << name;
    expect_recovery({0}, name);
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
}

// One worker dies in a change, the next in the repair of it or the master in clearing away, and then all is repaired.
TEST_F(KillTest, EveryStepOfARepairCanBeItsLast) {
  const auto clear_away = [](Cache& master) {
    while (!master.worker_died(0)) {
    }
    tend(master);
  };
  renew();
  const auto places = places_of(steps_of(work));
  size_t ends = 0;
  for (const char* name : {"link: in the index", "reclaim: freeing", "take: owner", "extend: listed"}) {
    ASSERT_TRUE(places.contains(name)) << name;
    const std::vector<uint32_t>& at = places.at(name);
    const uint32_t place = at[at.size() / 2];
    renew();
    EXPECT_FALSE(child(0, work, place)) << name;
    ASSERT_TRUE(child(kMaster, clear_away));
    const auto repairs = places_of({trace().names.begin(), trace().names.begin() + trace().count});
    for (const auto& [repair, when] : repairs) {
      renew();
      EXPECT_FALSE(child(0, work, place)) << name;
      EXPECT_FALSE(child(kMaster, clear_away, when.front())) << repair;
      expect_recovery({0, kMaster}, std::string(name) + ", then " + repair);
      if (HasFatalFailure() || HasNonfatalFailure()) return;
      ++ends;
    }
  }
  EXPECT_GT(ends, 50u);
}

// In a full table, so that another ban gives way: what was answered holds whenever somebody looks, and the next purger
// goes on.
TEST_F(KillTest, EveryStepOfABanCanBeItsLast) {
  const auto prepare = [this] {
    renew();
    Cache cache(view_, 2, 1);
    ASSERT_TRUE(keep(cache, "a.test/match") && keep(cache, "b.test/x") && keep(cache, "c.test/new"));
    ASSERT_TRUE(ban(cache, "a.test", "match"));
    for (uint32_t i = 1; i < kMostBans; ++i) ASSERT_TRUE(ban(cache, "b.test", "none" + std::to_string(i)));
  };
  const auto purged = [](Cache& cache, std::string_view url) { return cache.find(url, cache.published(), 0).purged; };
  const auto last = [](Cache& cache) { ban(cache, "c.test", "/new|something that takes some words to say"); };
  prepare();
  const auto names = steps_of(last);
  EXPECT_GE(places_of(names).size(), 8u);
  for (uint32_t i = 1; i <= names.size(); ++i) {
    SCOPED_TRACE(names[i - 1]);
    prepare();
    EXPECT_FALSE(child(0, last, i));
    Cache reader(view_, 1, 1);
    EXPECT_EQ(purged(reader, "a.test/match"), Purged::hard);
    EXPECT_EQ(purged(reader, "b.test/x"), Purged::no);
    Cache master(view_, kMaster, 1);
    ASSERT_TRUE(master.worker_died(0));
    Cache other(view_, 3, 1);
    const uint64_t before = other.published();
    ASSERT_TRUE(keep(other, "c.test/new") || purged(other, "c.test/new") == Purged::no);
    EXPECT_EQ(ban(other, "c.test", "new"), before + 1);
    for (Cache* one : {&reader, &other}) {
      EXPECT_EQ(purged(*one, "a.test/match"), Purged::hard);
      EXPECT_EQ(purged(*one, "b.test/x"), Purged::no);
      EXPECT_EQ(purged(*one, "c.test/new"), Purged::hard);
    }
    EXPECT_LE(Bans::count(view_), kMostBans);
  }
}

TEST_F(KillTest, OneFollowerTakesOverFromAFillerThatDied) {
  renew();
  const std::string content = text_of(200'000);
  const auto fill_half = [&](Cache& cache) {
    FillLock lock = cache.begin_fill("k", 0, 0);
    lock.filler.set_head(Head{.section = "A: b\r\n", .length = content.size()});
    lock.filler.append(std::string_view(content).substr(0, 100'001));
    ::_exit(9);
  };
  EXPECT_FALSE(child(0, fill_half));
  Cache master(view_, kMaster, 1);
  Cache one(view_, 1, 1);
  Cache other(view_, 2, 1);
  FillLock follower = one.begin_fill("k", 0, 0);
  FillLock second = other.begin_fill("k", 0, 0);
  ASSERT_EQ(follower.outcome, FillLock::Outcome::follow);
  EXPECT_FALSE(follower.response.progress().orphaned) << "nobody has said that it died";
  ASSERT_TRUE(master.worker_died(0));
  EXPECT_TRUE(follower.response.progress().orphaned);
  Filler filler = one.take_over(follower.response);
  ASSERT_TRUE(filler);
  EXPECT_FALSE(other.take_over(second.response));
  ASSERT_EQ(filler.response().filled(), 100'001u);
  EXPECT_EQ(filler.append(std::string_view(content).substr(100'001)), content.size() - 100'001);
  ASSERT_TRUE(filler.complete());
  EXPECT_TRUE(content_of(second.response) == content);
}

TEST_F(KillTest, AFillThatNobodyFollowsGoesWithItsFiller) {
  renew();
  EXPECT_FALSE(child(0, [](Cache& cache) {
    FillLock lock = cache.begin_fill("k", 0, 0);
    lock.filler.set_head(Head{.length = 100'000});
    lock.filler.append(text_of(50'000));
    ::_exit(9);
  }));
  Cache master(view_, kMaster, 1);
  ASSERT_TRUE(master.worker_died(0));
  EXPECT_EQ(master.find("k", 0, 0).outcome, Lookup::Outcome::miss);
  tend(master);
  EXPECT_EQ(master.accounts().used, 0u);
}

}   // namespace
}   // namespace proxyd::cache

#endif
