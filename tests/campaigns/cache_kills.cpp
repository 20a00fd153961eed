// Worker processes on one cache region, killed at random (in a build with PROXYD_TEST_HOOKS: at random steps between
// two writes to the region, most of them under a lock). First under a mixed load: every octet that is read is compared
// with what was stored, every purge with what is served after it, and at the end every block with who owns it. Then
// under one whose requests are the same in each run: what the kills cost of the hit ratio.
//   cache_kills [--kills N] [--workers N] [--seed N] [--memory MiB]
// Exits 0 when nothing was wrong and the kills cost at most one point (two in a short run, by chance).
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>

#include "shared/cache/faults.h"
#include "shared/cache/step.h"
#include "tests/campaigns/cache_ratio_load.h"
#include "tests/support/cache_load.h"

namespace proxyd::cache {
namespace {

constexpr uint64_t kRequestsForEach = 500;   // kill, of the second load
constexpr uint64_t kBeyond = 200;            // requests that may be made while one is killed
constexpr uint64_t kLong = 1000;             // kills

struct Options {
  uint64_t kills = 100;
  uint32_t workers = 4;
  uint64_t seed = 1;
  uint64_t memory = 48;
};

template <class T>
T* shared() {
  return new (::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) T{};
}

template <class Counter>
uint64_t sum(const Counter& counters) {
  uint64_t total = 0;
  for (const auto& one : counters) total += one.load();
  return total;
}

#ifdef PROXYD_TEST_HOOKS
constexpr uint64_t kStepsOfALife = 20'000;
constexpr bool kDyingByThemselves = true;

// Ends this process at one of so many steps.
void end_some_day(const char*) {
  static std::mt19937_64 random(static_cast<uint64_t>(::getpid()));
  if (random() % kStepsOfALife == 0) ::kill(::getpid(), SIGKILL);
}
void be_mortal() { at_step = end_some_day; }
#else
constexpr bool kDyingByThemselves = false;
void be_mortal() {}
#endif

// Master of one region: starts workers, kills them, clears away, and at the end compares the region with itself.
class Workers {
 public:
  using Work = std::function<void(const RegionView&, uint32_t slot, uint64_t incarnation)>;
  struct Ended {
    uint32_t slot;
    bool killed;
  };

  // Of the same seed, the same keys meet in a shard.
  Workers(const Options& options, bool mortal, Work work)
      : mortal_(mortal),
        work_(std::move(work)),
        region_(
            std::move(create_region(options.memory << 23)).value()),   // eight times as much: shards, and a low limit
        view_(view_of(region_)),
        master_(view_, kWorkerSlots, 1) {
    view_.superblock().key_secret = {options.seed, 1};
    master_.limit_memory(options.memory << 20);
    for (uint32_t slot = 0; slot < options.workers; ++slot) start(slot);
  }

  void start(uint32_t slot) {
    const uint64_t incarnation = ++incarnation_;
    const pid_t pid = ::fork();
    if (pid == 0) {
      if (mortal_) be_mortal();
      work_(view_, slot, incarnation);
      ::_exit(0);
    }
    pids_[slot] = pid;
    ++running_;
  }
  void kill(uint32_t slot) {
    if (pids_[slot] != 0) ::kill(pids_[slot], SIGKILL);
  }
  uint32_t running() const { return running_; }

  // One that has ended, with what it left cleared away.
  std::optional<Ended> reap(bool wait) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, wait ? 0 : WNOHANG);
    if (pid <= 0) return std::nullopt;
    const auto slot = static_cast<uint32_t>(std::find(pids_.begin(), pids_.end(), pid) - pids_.begin());
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!killed && status != 0) fault("a worker ended by itself with status " + std::to_string(status));
    pids_[slot] = 0;
    --running_;
    const auto before = std::chrono::steady_clock::now();
    while (!master_.worker_died(slot)) {
    }
    const auto took = std::chrono::steady_clock::now() - before;
    slowest_us_ = std::max<uint64_t>(slowest_us_, std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    kills_ += killed ? 1 : 0;
    return Ended{slot, killed};
  }

  // When none is left.
  void compare() {
    for (int64_t now = now_ms(), until = now + 60'000; now < until; now += 6) master_.tend(now);
    for (const std::string& one : faults_of(view_)) fault(one);
  }
  void fault(const std::string& text) {
    std::printf("FAULT %s\n", text.c_str());
    sound_ = false;
  }
  bool sound() const { return sound_; }
  uint64_t kills() const { return kills_; }
  uint64_t slowest_us() const { return slowest_us_; }
  Accounts accounts() const { return master_.accounts(); }

 private:
  bool mortal_;
  Work work_;
  memory::Region region_;
  RegionView view_;
  Cache master_;
  std::array<pid_t, kMostWorkers> pids_{};
  uint32_t running_ = 0;
  uint64_t incarnation_ = 0;
  uint64_t kills_ = 0;
  uint64_t slowest_us_ = 0;
  bool sound_ = true;
};

uint64_t sum(const Board& board, std::atomic<uint64_t> Counts::* what) {
  uint64_t total = 0;
  for (const Counts& one : board.counts) total += (one.*what).load();
  return total;
}

void report(const Workers& workers, const Board& board) {
  uint64_t slowest = 0;
  for (const Counts& one : board.counts) slowest = std::max(slowest, one.slowest_us.load());
  const Accounts accounts = workers.accounts();
  const auto number = [](uint64_t value) { return static_cast<unsigned long>(value); };
  std::printf("%lu of %lu MiB kept in %lu MiB of segments, %lu objects; ", number(accounts.stored >> 20),
              number(accounts.memory_limit >> 20), number(accounts.segments >> 20), number(accounts.objects));
  std::printf(
      "%lu kills, %lu requests, %lu hits, %lu fills, %lu follows, %lu taken over, %lu freshened, %lu evicted, %lu "
      "repairs of shards, %lu of classes, %lu locks busy, slowest request %lu us, slowest clearing away %lu us\n",
      number(workers.kills()), number(sum(board, &Counts::requests)), number(sum(board, &Counts::hits)),
      number(sum(board, &Counts::fills)), number(sum(board, &Counts::follows)), number(sum(board, &Counts::taken_over)),
      number(sum(board, &Counts::freshened)), number(accounts.evicted), number(accounts.shard_repairs),
      number(accounts.class_repairs), number(accounts.lock_busy), number(slowest), number(workers.slowest_us()));
}

// Whether nothing was wrong.
bool under_mixed_load(const Options& options) {
  Board& board = *shared<Board>();
  std::mt19937_64 random(options.seed);
  Workers workers(options, true, [&](const RegionView& view, uint32_t slot, uint64_t incarnation) {
    Load(view, board, slot, incarnation, options.seed * 1'000'003 + incarnation).run();
  });
  while (workers.kills() < options.kills) {
    if (!kDyingByThemselves) {
      ::usleep(static_cast<useconds_t>(random() % 4000));
      workers.kill(static_cast<uint32_t>(random() % options.workers));
    }
    const auto ended = workers.reap(true);
    if (!ended->killed) workers.fault("a worker ended by itself");
    workers.start(ended->slot);
    if (workers.kills() % 1000 == 0) std::fprintf(stderr, "%lu kills\n", static_cast<unsigned long>(workers.kills()));
  }
  board.stop.store(true);
  while (workers.running() != 0) workers.reap(true);
  workers.compare();
  const auto none = [&](std::atomic<uint64_t> Counts::* what, const char* text) {
    if (const uint64_t count = sum(board, what); count != 0) workers.fault(std::to_string(count) + text);
  };
  none(&Counts::wrong_octets, " wrong contents");
  none(&Counts::outrun, " purges outrun");
  report(workers, board);
  return workers.sound();
}

// In hundredths, of the same requests each time; nothing: something was wrong. Workers are killed by how far they have
// come and wait for it: a slow machine kills as many as a fast one.
std::optional<double> hit_ratio(const Options& options, bool killed) {
  RatioBoard& board = *shared<RatioBoard>();
  board.next.store(1);
  board.requests = options.kills * kRequestsForEach;
  board.seed = options.seed;
  std::mt19937_64 random(options.seed);
  Workers workers(options, killed, [&](const RegionView& view, uint32_t slot, uint64_t incarnation) {
    RatioLoad(view, board, slot, incarnation).run();
  });
  for (uint64_t next = killed && !kDyingByThemselves ? kRequestsForEach : ~uint64_t{0} - kBeyond;
       workers.running() != 0;) {
    if (next >= board.requests - kBeyond) next = ~uint64_t{0} - kBeyond;   // nobody ends before who is to be killed
    board.most.store(next + kBeyond);                                      // so that who is killed is at work
    const bool kills = board.next.load() >= next;
    if (kills) {
      workers.kill(static_cast<uint32_t>(random() % options.workers));
      next += random() % (2 * kRequestsForEach);
    }
    const auto ended = workers.reap(kills);
    if (ended && ended->killed) workers.start(ended->slot);
    if (!ended) ::usleep(50);
  }
  workers.compare();
  const bool too_few = killed && !kDyingByThemselves && workers.kills() < options.kills / 2;
  if (too_few) workers.fault("fewer workers were killed than should be");
  if (!workers.sound()) return std::nullopt;
  const double ratio = 100.0 * static_cast<double>(sum(board.hits)) / static_cast<double>(board.requests);
  std::printf("%lu requests, %lu kills: %.2f %% hits\n", static_cast<unsigned long>(board.requests),
              static_cast<unsigned long>(workers.kills()), ratio);
  return ratio;
}

Options options_of(int count, char** words) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = words[i];
    const uint64_t value = std::strtoull(words[i + 1], nullptr, 10);
    if (name == "--kills") options.kills = value;
    if (name == "--workers") options.workers = static_cast<uint32_t>(std::min<uint64_t>(value, kMostWorkers));
    if (name == "--seed") options.seed = value;
    if (name == "--memory") options.memory = value;
  }
  return options;
}

}   // namespace
}   // namespace proxyd::cache

int main(int count, char** words) {
  using namespace proxyd::cache;
  const Options options = options_of(count, words);
  const bool sound = under_mixed_load(options);
  const auto killed = hit_ratio(options, true);
  const auto undisturbed = hit_ratio(options, false);
  if (!sound || !killed || !undisturbed) return 1;
  const double lost = *undisturbed - *killed;
  std::printf("the kills cost %.2f points\n", lost);
  // Of few requests the ratio is within four points of itself: there it tells a cache that kills emptied, no more.
  return lost <= (options.kills < kLong ? 8.0 : 1.0) ? 0 : 1;
}
