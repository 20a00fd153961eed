#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "shared/base/clock.h"

namespace proxyd::proxy {

// Turns at checks that hold the loop: a password's hash, made to be slow, takes up to a quarter of a second. One at a
// time, and after each the loop is free of them for four times as long as it took, so that they never have more than a
// fifth of a worker, whoever asks for how many. What an attacker who sends ever new guesses can do is to take that
// fifth and the turns of others whom this worker has not seen in an hour; those are told to come again (503) after 5 s.
// Who is remembered waits for no turn. One client address (a /64 of IPv6) has at most 2 places of 64, so that it takes
// many addresses to keep others out. Owned by the worker's proxy; one thread; who waits does so on its own.
class SlowChecks {
 public:
  static constexpr milliseconds kLongestWait{5000};
  using Client = std::array<uint8_t, 16>;

  // A place among those who wait. None of its own copies; goes with who waits.
  class Place {
   public:
    Place(SlowChecks& checks, uint64_t network) : checks_(&checks), network_(network) {}
    Place(Place&& other) noexcept : checks_(other.checks_), network_(other.network_) { other.checks_ = nullptr; }
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    SlowChecks* checks_;
    uint64_t network_;
  };
  std::optional<Place> place_for(const Client& client);

  bool is_free(Instant now) const { return now >= free_at_; }
  Instant free_at() const { return free_at_; }
  // One ran from then to then.
  void ran(Instant began, Instant ended) { free_at_ = ended + (ended - began) * 4; }

 private:
  std::vector<uint64_t> waiting_;   // the networks of those who wait
  Instant free_at_{};
};

}   // namespace proxyd::proxy
