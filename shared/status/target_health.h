#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "shared/status/health_words.h"

namespace proxyd::status {

// What checks have found.
enum class Verdict : uint8_t { kUnknown, kPassing, kFailing };

// Why a check or a request failed, or did not.
enum class Finding : uint8_t {
  kOk,
  kConnectionRefused,
  kConnectionTimeout,
  kTlsHandshake,
  kNoHttp2,
  kNoAnswer,     // in time
  kBrokeOff,     // before its answer, or in it
  kMalformed,    // no answer as it has to be
  kStatus,       // another than is expected
  kContent,      // without what is expected
  kNotServing,   // says the service
  kNoPlace,      // this machine could not ask: no port, no stream
  kCount
};
std::string_view to_string(Finding finding);

// What made a target's state another.
enum class Cause : uint8_t {
  kChecksPassed,
  kChecksFailed,
  kFailuresInARow,
  kErrorRate,
  kTrialPassed,
  kTrialFailed,
  kCount
};
std::string_view to_string(Cause cause);

// The health of one address of a target, as its words say: a view for the moment of a call. Any process; the words are
// the region's. Times are milliseconds of the machine's steady clock.
class TargetHealth {
 public:
  explicit TargetHealth(HealthWords& words) : words_(words) {}

  // What active checks say. `was_passing`: it was up once.
  struct Checked {
    Verdict verdict = Verdict::kUnknown;
    bool was_passing = false;
    uint32_t in_a_row = 0;
    uint64_t since_ms = 0;
  };
  Checked checked() const;
  struct Result {
    uint64_t at_ms = 0;
    Finding finding = Finding::kOk;
    uint16_t status = 0;   // of the answer, when there was one
  };
  // Notes a check's result. The first one that passes is enough for a target that was never checked; else `rise` in a
  // row, or `fall`. True when the verdict is another now. That we could not ask is kept and says nothing.
  bool note_check(const Result& result, uint32_t rise, uint32_t fall);

  // The circuit breaker of passive health. Open: ejected until a time is over. Then one request at a time is let
  // through as a trial, and what becomes of it closes the circuit or opens it anew.
  enum class State : uint8_t { kClosed, kOpen, kTrial };
  struct Circuit {
    State state = State::kClosed;
    uint32_t times = 0;      // ejected, one after the other
    uint64_t until_ms = 0;   // kOpen: ejected; kTrial: its request has; kClosed: since
  };
  Circuit circuit() const;
  // False when it is open already. Each time in a row is longer than the one before, up to ten times `for_ms`; a time
  // of ten times that without one begins anew.
  bool eject(uint64_t now_ms, uint64_t for_ms);
  // Takes an ejection back that must not be, since too many are ejected.
  void undo_ejection(const Circuit& before);
  // True for the one whose request is the trial; nobody else is, until it has ended or `for_ms` are over.
  bool begin_trial(uint64_t now_ms, uint64_t for_ms);
  void end_trial(uint64_t now_ms, bool passed, uint64_t eject_for_ms, Finding finding);

  // Its end told nothing: the next request may be one.
  void abandon_trial(uint64_t now_ms);

  // All of it in one word. Degraded: it fails, but not often enough yet.
  enum class Condition : uint8_t { kUp, kDegraded, kChecking, kFailing, kEjected };
  Condition condition(bool is_checked, bool is_passive) const;

  // A request failed; true when these are `most` in a row, all within the window.
  bool note_failure(uint64_t now_ms, uint32_t most, uint64_t window_ms);
  void note_success() {
    if (words_.failures.load(std::memory_order_relaxed) != 0) words_.failures.store(0, std::memory_order_relaxed);
  }
  uint32_t failures_in_a_row() const;
  // Counts a request in the window that `now_ms` is in; true when at least 20 are there and `percent` of them failed.
  bool note_request(uint64_t now_ms, bool failed, uint32_t percent, uint64_t window_ms);

  uint64_t ready_since_ms() const { return words_.ready_since_ms.load(std::memory_order_relaxed); }
  void set_ready_since(uint64_t now_ms) { words_.ready_since_ms.store(now_ms, std::memory_order_relaxed); }
  uint64_t checked_ms() const { return words_.checked_ms.load(std::memory_order_relaxed); }
  void begin_check(uint64_t now_ms) { words_.checked_ms.store(now_ms, std::memory_order_relaxed); }
  // Since when it may have requests: the latest of joining, passing and the end of an ejection. 0: from the start.
  uint64_t eligible_since_ms(bool is_checked) const;

  struct Transition {
    uint64_t at_ms = 0;
    Cause cause = Cause::kChecksPassed;
    Finding finding = Finding::kOk;
    uint16_t status = 0;
    uint64_t number = 0;   // of all that the row ever had
  };
  // The last ones, oldest first.
  std::vector<Result> results() const;
  std::vector<Transition> transitions() const;

  // The verdict is about something else than what is there now: it is checked as if for the first time.
  void forget_checks();
  // As if there had never been a target there. The master's, before the row is given away.
  void clear();

  // Adds one: an ejection's, once it is known to stay; those of checks and trials are there already.
  void add_transition(const Transition& transition);

 private:
  HealthWords& words_;
};

}   // namespace proxyd::status
