// Worker processes that purge, fetch, follow, freshen and read the same few documents of one cache region, and now and
// then die (in a build with PROXYD_TEST_HOOKS: at a step between two writes, many of them within a purge): nothing that
// is served is older than a purge that was answered before its request began.
//   cache_purges [--seconds N] [--workers N] [--late 1]
// Exits 0 when nothing was wrong. With --late requests take their sequence too late, and it exits 0 when that was
// found.
#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "shared/cache/faults.h"
#include "shared/cache/step.h"
#include "tests/support/purge_load.h"

namespace proxyd::cache {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  uint64_t seconds = 60;
  uint32_t workers = 4;
  bool late = false;
};

PurgeBoard& shared_board() {
  void* const place = ::mmap(nullptr, sizeof(PurgeBoard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return *new (place) PurgeBoard{};
}

#ifdef PROXYD_TEST_HOOKS
// Lets others in where a race could be, and ends the process some day.
void disturb(const char* name) {
  static std::mt19937_64 random(static_cast<uint64_t>(::getpid()));
  const uint64_t number = random();
  const bool purging = std::string_view(name).starts_with("purge") || std::string_view(name).starts_with("ban");
  if (number % (purging ? 2'000 : 20'000) == 0) ::kill(::getpid(), SIGKILL);
  if (number % (purging ? 4 : 64) == 1) ::sched_yield();
  if (number % (purging ? 32 : 1024) == 2) ::usleep(50);
}
#endif

// Master of the region: starts workers, and others in the place of those that die.
class Run {
 public:
  Run(const Options& options, PurgeBoard& board)
      : options_(options),
        board_(board),
        region_(std::move(create_region(64u << 20)).value()),
        view_(view_of(region_)),
        master_(view_, kWorkerSlots, 1) {}

  // True when all is as it should be.
  bool go() {
    for (uint32_t slot = 0; slot < options_.workers; ++slot) start(slot);
    const auto until = Clock::now() + std::chrono::seconds(options_.seconds);
    while (Clock::now() < until && !(options_.late && outrun() != 0)) {
      ::usleep(1000);
      replace_dead();
    }
    stop();
    report();
    return options_.late ? outrun() != 0 : is_sound();
  }

 private:
  void start(uint32_t slot) {
    const uint64_t incarnation = ++incarnation_;
    pids_[slot] = ::fork();
    if (pids_[slot] != 0) return;
#ifdef PROXYD_TEST_HOOKS
    at_step = disturb;
#endif
    PurgeLoad(view_, board_, slot, incarnation, options_.late).run();
    ::_exit(0);
  }

  void replace_dead() {
#ifndef PROXYD_TEST_HOOKS
    if (++turns_ % 20 == 0) ::kill(pids_[turns_ / 20 % options_.workers], SIGKILL);
#endif
    for (uint32_t slot = 0; slot < options_.workers; ++slot) {
      int status = 0;
      if (::waitpid(pids_[slot], &status, WNOHANG) != pids_[slot]) continue;
      clear_away(slot, status);
      start(slot);
    }
  }

  void clear_away(uint32_t slot, int status) {
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (status != 0 && !killed) fault("a worker ended by itself with status " + std::to_string(status));
    while (!master_.worker_died(slot)) {
    }
    deaths_ += killed;
  }

  void stop() {
    board_.stop.store(true);
    for (uint32_t slot = 0; slot < options_.workers; ++slot) {
      int status = 0;
      ::waitpid(pids_[slot], &status, 0);
      clear_away(slot, status);
    }
    for (int64_t now = 1'000'000'000; now < 1'000'060'000; now += 6) master_.tend(now);
    for (const std::string& one : faults_of(view_)) fault(one);
  }

  uint64_t outrun() const { return board_.sum(&PurgeCounts::outrun_hard) + board_.sum(&PurgeCounts::outrun_soft); }

  bool is_sound() {
    if (outrun() != 0) fault(std::to_string(outrun()) + " purges outrun");
    if (board_.sum(&PurgeCounts::wrong) != 0) fault("wrong contents");
    for (const auto what : {&PurgeCounts::purges, &PurgeCounts::fresh, &PurgeCounts::stale, &PurgeCounts::followed,
                            &PurgeCounts::fills, &PurgeCounts::freshened, &PurgeCounts::superseded}) {
      if (board_.sum(what) == 0) fault("nothing was tested");
    }
    return sound_;
  }

  void fault(const std::string& text) {
    std::printf("FAULT %s\n", text.c_str());
    sound_ = false;
  }

  void report() const {
    const auto number = [&](std::atomic<uint64_t> PurgeCounts::* what) {
      return static_cast<unsigned long>(board_.sum(what));
    };
    std::printf("%lu purges, %lu served as fresh, %lu as stale, %lu waits for a fill, %lu fills, %lu taken over, ",
                number(&PurgeCounts::purges), number(&PurgeCounts::fresh), number(&PurgeCounts::stale),
                number(&PurgeCounts::followed), number(&PurgeCounts::fills), number(&PurgeCounts::taken_over));
    std::printf("%lu freshened, %lu too late for that, %lu workers killed, %lu hard and %lu soft purges outrun\n",
                number(&PurgeCounts::freshened), number(&PurgeCounts::superseded), static_cast<unsigned long>(deaths_),
                number(&PurgeCounts::outrun_hard), number(&PurgeCounts::outrun_soft));
  }

  const Options& options_;
  PurgeBoard& board_;
  memory::Region region_;
  RegionView view_;
  Cache master_;
  std::array<pid_t, kMostPurgers> pids_{};
  uint64_t incarnation_ = 0;
  uint64_t deaths_ = 0;
#ifndef PROXYD_TEST_HOOKS
  uint64_t turns_ = 0;
#endif
  bool sound_ = true;
};

Options options_of(int count, char** words) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = words[i];
    const uint64_t value = std::strtoull(words[i + 1], nullptr, 10);
    if (name == "--seconds") options.seconds = value;
    if (name == "--workers") options.workers = static_cast<uint32_t>(std::clamp<uint64_t>(value, 1, kMostPurgers));
    if (name == "--late") options.late = value != 0;
  }
  return options;
}

}   // namespace
}   // namespace proxyd::cache

int main(int count, char** words) {
  using namespace proxyd::cache;
  const Options options = options_of(count, words);
  return Run(options, shared_board()).go() ? 0 : 1;
}
