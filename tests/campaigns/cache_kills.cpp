// Worker processes on one cache region, killed at random (in a build with PROXYD_TEST_HOOKS: at random steps between
// two writes to the region, most of them under a lock) under a mixed load: every octet that is read is compared with
// what was stored, every purge with what is served after it, and at the end every block with who owns it.
//   cache_kills [--kills N] [--workers N] [--seed N] [--memory MiB]
// Exits 0 when nothing was wrong.
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "shared/cache/step.h"
#include "tests/support/cache_load.h"

namespace proxyd::cache {
namespace {

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

#ifdef PROXYD_TEST_HOOKS
constexpr uint64_t kStepsOfALife = 20'000;

// Ends this process at one of so many steps.
void end_some_day(const char*) {
  static std::mt19937_64 random(static_cast<uint64_t>(::getpid()));
  if (random() % kStepsOfALife == 0) ::kill(::getpid(), SIGKILL);
}
#endif

struct Outcome {
  uint64_t kills = 0, requests = 0, hits = 0, slowest_repair_us = 0;
  bool sound = true;
};

// Master of one region: starts workers, kills them, clears away, and at the end counts.
class Run {
 public:
  Run(const Options& options, Board& board)
      : options_(options),
        board_(board),
        region_(
            std::move(create_region(options.memory << 23)).value()),   // eight times as much: shards, and a low limit
        view_(view_of(region_)),
        master_(view_, kWorkerSlots, 1),
        random_(options.seed) {
    master_.limit_memory(options.memory << 20);
  }

  // Until so many kills, or so many requests where nobody is killed.
  Outcome go(uint64_t kills, uint64_t requests) {
    board_.undisturbed.store(kills == 0);
    for (uint32_t slot = 0; slot < options_.workers; ++slot) start(slot);
    while (kills != 0 ? outcome_.kills < kills : sum(&Counts::requests) < requests) {
      if (kills == 0) {
        ::usleep(1000);
      } else {
        replace(next_to_die());
      }
      if (kills != 0 && outcome_.kills % 1000 == 0)
        std::fprintf(stderr, "%lu kills\n", static_cast<unsigned long>(outcome_.kills));
    }
    outcome_.requests = sum(&Counts::requests);
    outcome_.hits = sum(&Counts::hits);
    stop();
    return outcome_;
  }

 private:
  void start(uint32_t slot) {
    const uint64_t incarnation = ++incarnation_;
    const pid_t pid = ::fork();
    if (pid == 0) {
      {
#ifdef PROXYD_TEST_HOOKS
        if (!board_.undisturbed.load()) at_step = end_some_day;
#endif
        Load load(view_, board_, slot, incarnation, options_.seed * 1'000'003 + incarnation);
        load.run();
      }
      ::_exit(0);
    }
    pids_[slot] = pid;
  }

#ifdef PROXYD_TEST_HOOKS
  uint32_t next_to_die() {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, 0);
    expect_killed(status);
    return static_cast<uint32_t>(std::find(pids_.begin(), pids_.end(), pid) - pids_.begin());
  }
#else
  uint32_t next_to_die() {
    ::usleep(static_cast<useconds_t>(random_() % 4000));
    const auto slot = static_cast<uint32_t>(random_() % options_.workers);
    ::kill(pids_[slot], SIGKILL);
    int status = 0;
    ::waitpid(pids_[slot], &status, 0);
    expect_killed(status);
    return slot;
  }
#endif

  void expect_killed(int status) {
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!killed) fault("a worker ended by itself with status " + std::to_string(status));
  }

  void replace(uint32_t slot) {
    clear_away(slot);
    ++outcome_.kills;
    start(slot);
  }

  void clear_away(uint32_t slot) {
    const auto before = std::chrono::steady_clock::now();
    while (!master_.worker_died(slot)) {
    }
    const auto took = std::chrono::steady_clock::now() - before;
    outcome_.slowest_repair_us = std::max<uint64_t>(
        outcome_.slowest_repair_us, std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  }

  void stop() {
    board_.stop.store(true);
    for (uint32_t slot = 0; slot < options_.workers; ++slot) {
      int status = 0;
      ::waitpid(pids_[slot], &status, 0);
      if (status != 0) expect_killed(status);
      clear_away(slot);
    }
    for (int64_t now = now_ms(), until = now + 60'000; now < until; now += 6) master_.tend(now);
    for (const std::string& one : faults_of(view_)) fault(one);
    if (sum(&Counts::wrong_octets) != 0) fault(std::to_string(sum(&Counts::wrong_octets)) + " wrong contents");
    if (sum(&Counts::outrun) != 0) fault(std::to_string(sum(&Counts::outrun)) + " purges outrun");
    report();
  }

  void fault(const std::string& text) {
    std::printf("FAULT %s\n", text.c_str());
    outcome_.sound = false;
  }

  uint64_t sum(std::atomic<uint64_t> Counts::* what) const {
    uint64_t total = 0;
    for (const Counts& one : board_.counts) total += (one.*what).load();
    return total;
  }

  void report() {
    uint64_t slowest = 0;
    for (const Counts& one : board_.counts) slowest = std::max(slowest, one.slowest_us.load());
    const Accounts accounts = master_.accounts();
    const auto number = [](uint64_t value) { return static_cast<unsigned long>(value); };
    std::printf("%lu of %lu MiB kept in %lu MiB of segments, %lu objects; ", number(accounts.stored >> 20),
                number(accounts.memory_limit >> 20), number(accounts.segments >> 20), number(accounts.objects));
    std::printf(
        "%lu kills, %lu requests, %lu hits, %lu fills, %lu follows, %lu taken over, %lu freshened, %lu evicted, %lu "
        "repairs of "
        "shards, %lu of classes, %lu locks busy, slowest request %lu us, slowest clearing away %lu us\n",
        number(outcome_.kills), number(outcome_.requests), number(outcome_.hits), number(sum(&Counts::fills)),
        number(sum(&Counts::follows)), number(sum(&Counts::taken_over)), number(sum(&Counts::freshened)),
        number(accounts.evicted), number(accounts.shard_repairs), number(accounts.class_repairs),
        number(accounts.lock_busy), number(slowest), number(outcome_.slowest_repair_us));
  }

  const Options& options_;
  Board& board_;
  memory::Region region_;
  RegionView view_;
  Cache master_;
  std::mt19937_64 random_;
  std::array<pid_t, kMostWorkers> pids_{};
  uint64_t incarnation_ = 0;
  Outcome outcome_;
};

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
  const Outcome killed = Run(options, *shared<Board>()).go(options.kills, 0);
  const Outcome undisturbed = Run(options, *shared<Board>()).go(0, killed.requests);
  const auto share = [](const Outcome& one) {
    return 100.0 * static_cast<double>(one.hits) / static_cast<double>(std::max<uint64_t>(one.requests, 1));
  };
  std::printf("hit ratio %.2f %%, undisturbed %.2f %%\n", share(killed), share(undisturbed));
  return killed.sound && undisturbed.sound ? 0 : 1;
}
