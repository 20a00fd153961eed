#include "shared/status/target_health.h"

#include <algorithm>

namespace proxyd::status {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint64_t kTimeBits = 44;   // 557 years
constexpr uint64_t kTimeMask = (uint64_t{1} << kTimeBits) - 1;
constexpr uint32_t kMostTimes = 10;
constexpr uint32_t kMostInARow = (1 << 16) - 1;
constexpr uint32_t kFewestRequests = 20;   // of which a share means something

// Every word has its time in the lower bits, so that each is read and replaced as a whole.
uint64_t time_of(uint64_t word) { return word & kTimeMask; }

// verdict 2 bits, was passing 1 bit, in a row 16 bits.
uint64_t pack(const TargetHealth::Checked& checked) {
  return uint64_t(checked.verdict) << 62 | uint64_t{checked.was_passing} << 61 |
         uint64_t{std::min(checked.in_a_row, kMostInARow)} << kTimeBits | (checked.since_ms & kTimeMask);
}
TargetHealth::Checked checked_in(uint64_t word) {
  return {static_cast<Verdict>(word >> 62), (word >> 61 & 1) != 0,
          static_cast<uint32_t>(word >> kTimeBits & kMostInARow), time_of(word)};
}

uint64_t pack(const TargetHealth::Circuit& circuit) {
  return uint64_t(circuit.state) << 62 | uint64_t{circuit.times} << kTimeBits | (circuit.until_ms & kTimeMask);
}
TargetHealth::Circuit circuit_in(uint64_t word) {
  return {static_cast<TargetHealth::State>(word >> 62), static_cast<uint32_t>(word >> kTimeBits & 0xFF), time_of(word)};
}

// finding 6 bits, status 10 bits; a transition's cause 4 bits above.
uint64_t pack(uint64_t at_ms, Cause cause, Finding finding, uint16_t status) {
  return uint64_t(cause) << 60 | uint64_t(finding) << 54 | uint64_t{status} << kTimeBits | (at_ms & kTimeMask);
}
Finding finding_in(uint64_t word) {
  return static_cast<Finding>(std::min<uint64_t>(word >> 54 & 0x3F, uint64_t(Finding::kCount) - 1));
}
uint16_t status_in(uint64_t word) { return static_cast<uint16_t>(word >> kTimeBits & 0x3FF); }

// Replaces a word by what `next` makes of it; nothing of it ends that. What stands there then.
template <class Next>
std::optional<uint64_t> replace(std::atomic<uint64_t>& word, Next next) {
  uint64_t now = word.load(kRelaxed);
  for (;;) {
    const std::optional<uint64_t> wanted = next(now);
    if (!wanted) return std::nullopt;
    if (word.compare_exchange_weak(now, *wanted)) return *wanted;   // in one order for all who look at several
  }
}

template <size_t size>
void add(std::atomic<uint64_t>& noted, std::array<std::atomic<uint64_t>, size>& ring, uint64_t word) {
  ring[noted.fetch_add(1, kRelaxed) % size].store(word, kRelaxed);
}

// Oldest first, each with its number. Who died between taking a place and filling it left an older word there.
struct Numbered {
  uint64_t number = 0;
  uint64_t word = 0;
};
template <size_t size>
std::vector<Numbered> words_of(const std::atomic<uint64_t>& noted,
                               const std::array<std::atomic<uint64_t>, size>& ring) {
  std::vector<Numbered> words;
  const uint64_t end = noted.load(kRelaxed);
  for (uint64_t place = end > size ? end - size : 0; place < end; ++place) {
    const uint64_t word = ring[place % size].load(kRelaxed);
    const bool in_order = words.empty() || time_of(word) >= time_of(words.back().word);
    if (word != 0 && in_order) words.push_back({place, word});
  }
  return words;
}

}   // namespace

std::string_view to_string(Finding finding) {
  constexpr std::string_view kWords[] = {"ok",
                                         "connection_refused",
                                         "connection_timeout",
                                         "tls_handshake",
                                         "no_http2",
                                         "no_answer",
                                         "broke_off",
                                         "malformed",
                                         "status",
                                         "content",
                                         "not_serving",
                                         "no_place"};
  static_assert(std::size(kWords) == static_cast<size_t>(Finding::kCount));
  return kWords[static_cast<size_t>(finding)];
}

std::string_view to_string(Cause cause) {
  constexpr std::string_view kWords[] = {"checks_passed", "checks_failed", "failures_in_a_row",
                                         "error_rate",    "trial_passed",  "trial_failed"};
  static_assert(std::size(kWords) == static_cast<size_t>(Cause::kCount));
  return kWords[static_cast<size_t>(cause)];
}

TargetHealth::Checked TargetHealth::checked() const { return checked_in(words_.check.load(kRelaxed)); }

bool TargetHealth::note_check(const Result& result, uint32_t rise, uint32_t fall) {
  add(words_.results_noted, words_.results, pack(result.at_ms, Cause{}, result.finding, result.status));
  if (result.finding == Finding::kNoPlace) return false;   // this machine's trouble, not the target's
  const bool passed = result.finding == Finding::kOk;
  const Verdict says = passed ? Verdict::kPassing : Verdict::kFailing;
  bool turned = false;
  // `in_a_row` counts results against the verdict.
  replace(words_.check, [&](uint64_t word) {
    Checked checked = checked_in(word);
    turned = false;
    if (checked.verdict == says) {
      checked.in_a_row = 0;
      return std::optional(pack(checked));
    }
    const bool first = checked.verdict == Verdict::kUnknown && passed;
    ++checked.in_a_row;
    turned = first || checked.in_a_row >= (passed ? rise : fall);
    if (turned) checked = {says, checked.was_passing || passed, 0, result.at_ms};
    return std::optional(pack(checked));
  });
  if (turned)
    add_transition({result.at_ms, passed ? Cause::kChecksPassed : Cause::kChecksFailed, result.finding, result.status});
  return turned;
}

TargetHealth::Circuit TargetHealth::circuit() const { return circuit_in(words_.circuit.load()); }

bool TargetHealth::eject(uint64_t now_ms, uint64_t for_ms) {
  const auto ejected = replace(words_.circuit, [&](uint64_t word) -> std::optional<uint64_t> {
    Circuit circuit = circuit_in(word);
    if (circuit.state != State::kClosed) return std::nullopt;
    const bool long_ago = now_ms > circuit.until_ms + for_ms * kMostTimes;
    circuit.times = long_ago ? 1 : std::min(circuit.times + 1, kMostTimes);
    return pack({State::kOpen, circuit.times, now_ms + for_ms * circuit.times});
  });
  return ejected.has_value();
}

void TargetHealth::undo_ejection(const Circuit& before) {
  replace(words_.circuit, [&](uint64_t word) -> std::optional<uint64_t> {
    if (circuit_in(word).state != State::kOpen) return std::nullopt;
    return pack(before);
  });
}

bool TargetHealth::begin_trial(uint64_t now_ms, uint64_t for_ms) {
  uint64_t now = words_.circuit.load(kRelaxed);
  const Circuit circuit = circuit_in(now);
  if (circuit.state == State::kClosed || circuit.until_ms > now_ms) return false;
  return words_.circuit.compare_exchange_strong(now, pack({State::kTrial, circuit.times, now_ms + for_ms}), kRelaxed);
}

void TargetHealth::end_trial(uint64_t now_ms, bool passed, uint64_t eject_for_ms, Finding finding) {
  const auto ended = replace(words_.circuit, [&](uint64_t word) -> std::optional<uint64_t> {
    const Circuit circuit = circuit_in(word);
    if (circuit.state != State::kTrial) return std::nullopt;
    if (passed) return pack({State::kClosed, circuit.times, now_ms});
    const uint32_t times = std::min(circuit.times + 1, kMostTimes);
    return pack({State::kOpen, times, now_ms + eject_for_ms * times});
  });
  if (!ended) return;
  if (passed) words_.failures.store(0, kRelaxed);
  add_transition({now_ms, passed ? Cause::kTrialPassed : Cause::kTrialFailed, finding, 0});
}

void TargetHealth::abandon_trial(uint64_t now_ms) {
  replace(words_.circuit, [&](uint64_t word) -> std::optional<uint64_t> {
    const Circuit circuit = circuit_in(word);
    if (circuit.state != State::kTrial) return std::nullopt;
    return pack({State::kOpen, circuit.times, now_ms});
  });
}

// What ends in one millisecond ended by one cause: the requests on a connection that broke.
bool TargetHealth::note_failure(uint64_t now_ms, uint32_t most, uint64_t window_ms) {
  if (words_.failed_ms.exchange(now_ms, kRelaxed) == now_ms) return failures_in_a_row() >= most;
  bool reached = false;
  replace(words_.failures, [&](uint64_t word) {
    const auto count = static_cast<uint32_t>(word >> kTimeBits);
    const bool within = count > 0 && now_ms <= time_of(word) + window_ms;
    const uint64_t next = within ? count + 1 : 1;
    reached = next >= most;
    return std::optional(std::min<uint64_t>(next, kMostInARow) << kTimeBits | (within ? time_of(word) : now_ms));
  });
  return reached;
}

uint32_t TargetHealth::failures_in_a_row() const {
  return static_cast<uint32_t>(words_.failures.load(kRelaxed) >> kTimeBits);
}

bool TargetHealth::note_request(uint64_t now_ms, bool failed, uint32_t percent, uint64_t window_ms) {
  constexpr uint64_t kCountBits = 20;
  constexpr uint64_t kMostCount = (1 << kCountBits) - 1;
  const uint64_t window = (now_ms / window_ms) & 0xFFFFFF;
  uint64_t requests = 0;
  uint64_t errors = 0;
  replace(words_.traffic, [&](uint64_t word) {
    const bool same = word >> (2 * kCountBits) == window;
    requests = same ? word >> kCountBits & kMostCount : 0;
    errors = same ? word & kMostCount : 0;
    if (requests < kMostCount) {
      ++requests;
      errors += failed ? 1 : 0;
    }
    return std::optional(window << (2 * kCountBits) | requests << kCountBits | errors);
  });
  return failed && requests >= kFewestRequests && errors * 100 >= requests * percent;
}

uint64_t TargetHealth::eligible_since_ms(bool is_checked) const {
  const Circuit now = circuit();
  const Checked verdict = checked();
  const uint64_t passing = is_checked && verdict.verdict == Verdict::kPassing ? verdict.since_ms : 0;
  return std::max({ready_since_ms(), passing, now.state == State::kClosed ? now.until_ms : 0});
}

TargetHealth::Condition TargetHealth::condition(bool is_checked, bool is_passive) const {
  const Checked by_checks = is_checked ? checked() : Checked{.verdict = Verdict::kPassing};
  if (by_checks.verdict == Verdict::kFailing) return Condition::kFailing;
  if (by_checks.verdict == Verdict::kUnknown) return Condition::kChecking;
  if (is_passive && circuit().state != State::kClosed) return Condition::kEjected;
  const bool fails = by_checks.in_a_row > 0 || (is_passive && failures_in_a_row() > 0);
  return fails ? Condition::kDegraded : Condition::kUp;
}

void TargetHealth::add_transition(const Transition& transition) {
  add(words_.transitions_noted, words_.transitions,
      pack(transition.at_ms, transition.cause, transition.finding, transition.status));
}

std::vector<TargetHealth::Result> TargetHealth::results() const {
  std::vector<Result> results;
  for (const auto& [number, word] : words_of(words_.results_noted, words_.results))
    results.push_back({time_of(word), finding_in(word), status_in(word)});
  return results;
}

std::vector<TargetHealth::Transition> TargetHealth::transitions() const {
  std::vector<Transition> transitions;
  for (const auto& [number, word] : words_of(words_.transitions_noted, words_.transitions)) {
    const auto cause = static_cast<Cause>(std::min<uint64_t>(word >> 60, uint64_t(Cause::kCount) - 1));
    transitions.push_back({time_of(word), cause, finding_in(word), status_in(word), number});
  }
  return transitions;
}

void TargetHealth::forget_checks() {
  words_.check.store(0, kRelaxed);
  words_.checked_ms.store(0, kRelaxed);
}

void TargetHealth::clear() {
  for (auto* word : {&words_.check, &words_.circuit, &words_.failures, &words_.failed_ms, &words_.traffic,
                     &words_.checked_ms, &words_.ready_since_ms, &words_.results_noted, &words_.transitions_noted})
    word->store(0, kRelaxed);
  for (auto& word : words_.results) word.store(0, kRelaxed);
  for (auto& word : words_.transitions) word.store(0, kRelaxed);
}

}   // namespace proxyd::status
