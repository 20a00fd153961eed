// Worker processes on one region of limits, killed at random while others count on: every request that was admitted is
// in the count of its key, and no other, but for the one that a dead worker was at; keys that come and go in the same
// cells change nothing of that; and of requests at once nothing is left of who died.
//   limit_kills [--kills N] [--workers N]
// Exits 0 when no count was wrong.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <string>

#include "shared/limits/limits_region.h"

namespace proxyd::limits {
namespace {

using namespace std::chrono_literals;

constexpr uint32_t kMostWorkers = 16;
constexpr uint64_t kKeys = 12;   // lasting ones, two to a set
constexpr uint64_t kClients = 64;
constexpr uint64_t kMostAtOnce = 3;
constexpr uint64_t kNow = 1'000'000'000'000;   // the clock stands still, so that nothing is given back

// What the workers say of themselves, beside the region: before they ask, and after they were admitted.
struct Account {
  std::array<std::atomic<uint64_t>, kKeys> asked;
  std::array<std::atomic<uint64_t>, kKeys> admitted;
  std::atomic<uint64_t> too_many_at_once;
};

uint64_t lasting_key(uint64_t n) { return (n + 1) * kRateSets * 7 + n / 2 + 1; }
uint64_t fleeting_key(uint64_t random) { return (random % 100'000 + 100) * kRateSets * 7 + random % (kKeys / 2) + 1; }

const Rate kLasting = Rate::bucket(Rate::kMostCount, 24h, 1'000'000);
const Rate kFleeting = Rate::bucket(1000, 1s, 0);

[[noreturn]] void work(const LimitsRegion& region, Account& account, uint32_t slot, uint32_t slots, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (;;) {
    const uint64_t n = random() % kKeys;
    account.asked[n] += 1;
    if (region.rates().charge(lasting_key(n), kLasting, kNow).admitted) account.admitted[n] += 1;
    (void)region.rates().charge(fleeting_key(random()), kFleeting, kNow);
    const uint64_t client = (random() % kClients + 1) << 20;
    const auto entered = region.clients().enter(slot, slots, client, kMostAtOnce);
    if (entered.admitted && region.clients().running(slots, client) > kMostAtOnce + slots)
      account.too_many_at_once += 1;
    ClientRows::leave(entered.place);
  }
}

class Campaign {
 public:
  Campaign(uint64_t kills, uint32_t workers)
      : kills_(kills),
        workers_(workers),
        region_(std::move(LimitsRegion::create()).value()),
        account_(*new(::mmap(nullptr, sizeof(Account), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                     Account{}) {}

  bool run() {
    for (uint32_t slot = 0; slot < workers_; ++slot) start(slot);
    for (uint64_t kill = 0; kill < kills_; ++kill) {
      ::usleep(static_cast<useconds_t>(500 + random_() % 3000));
      const auto slot = static_cast<uint32_t>(random_() % workers_);
      end(slot);
      start(slot);
    }
    for (uint32_t slot = 0; slot < workers_; ++slot) end(slot);
    return compare();
  }

 private:
  void start(uint32_t slot) {
    const uint64_t seed = random_();
    pids_[slot] = ::fork();
    if (pids_[slot] == 0) work(region_, account_, slot, workers_, seed);
  }
  void end(uint32_t slot) {
    ::kill(pids_[slot], SIGKILL);
    ::waitpid(pids_[slot], nullptr, 0);
    region_.clients().clear(slot);   // as the master does
  }
  bool compare() {
    uint64_t wrong = account_.too_many_at_once;
    uint64_t all = 0;
    uint64_t lost = 0;
    for (uint64_t n = 0; n < kKeys; ++n) {
      const Rate::Charge next = region_.rates().look(lasting_key(n), kLasting, kNow);
      const uint64_t left = next.admitted ? next.remaining + 1 : 0;
      const uint64_t counted = kLasting.quota() - left;
      const uint64_t admitted = account_.admitted[n];
      all += admitted;
      lost += counted > admitted ? counted - admitted : 0;
      if (counted >= admitted && counted <= account_.asked[n]) continue;
      std::printf("key %lu: %lu admitted, %lu counted, %lu asked\n", n, admitted, counted, account_.asked[n].load());
      ++wrong;
    }
    if (lost > kills_ + workers_) ++wrong;
    for (uint64_t client = 1; client <= kClients; ++client)
      wrong += region_.clients().running(workers_, client << 20) == 0 ? 0 : 1;
    std::printf("%lu kills, %lu requests admitted, %lu of them by who died at once, %lu wrong\n", kills_, all, lost,
                wrong);
    return wrong == 0 && all > 0;
  }

  uint64_t kills_;
  uint32_t workers_;
  LimitsRegion region_;
  Account& account_;
  std::array<pid_t, kMostWorkers> pids_{};
  std::mt19937_64 random_{1};
};

}   // namespace
}   // namespace proxyd::limits

int main(int argc, char** argv) {
  uint64_t kills = 100;
  uint32_t workers = 4;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--kills") == 0) kills = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--workers") == 0) workers = static_cast<uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
  }
  if (workers == 0 || workers > proxyd::limits::kMostWorkers) return 2;
  return proxyd::limits::Campaign(kills, workers).run() ? 0 : 1;
}
