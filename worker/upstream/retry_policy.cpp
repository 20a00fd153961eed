#include "worker/upstream/retry_policy.h"

#include <algorithm>

namespace proxyd::upstream {
namespace {

constexpr uint64_t kAlwaysAllowed = 10;   // a few visitors make no storm, whatever share of them retries

bool never_reached_origin(Fault fault) {
  return fault == Fault::kConnectionRefused || fault == Fault::kConnectionTimeout || fault == Fault::kTls ||
         fault == Fault::kNoAddress || fault == Fault::kNoPort || fault == Fault::kCutConnecting ||
         fault == Fault::kNoHttp2 || fault == Fault::kNoStream || fault == Fault::kRefused ||
         fault == Fault::kGoingAway;
}

}   // namespace

bool RetryPolicy::is_listed(std::string_view method) const {
  return std::find(rules_.methods.begin(), rules_.methods.end(), method) != rules_.methods.end();
}

bool RetryPolicy::within_budget() const {
  if (rules_.budget_percent == 0) return false;
  uint64_t running = 0;
  uint64_t requests = 0;
  for (uint32_t slot = 0; slot < status_.slots_in_use(); ++slot) {
    running += status_.worker(slot).retries_running.load(std::memory_order_relaxed);
    requests += status_.worker(slot).in_flight.load(std::memory_order_relaxed);
  }
  const uint64_t share = requests * static_cast<uint64_t>(rules_.budget_percent) / 100;
  return running < std::max(share, kAlwaysAllowed);
}

bool RetryPolicy::is_retried(const Attempt& attempt) const {
  if (attempt.status != 0) {
    const auto& statuses = rules_.on_statuses;
    return std::find(statuses.begin(), statuses.end(), attempt.status) != statuses.end() &&
           is_listed(attempt.method_text);
  }
  if (never_reached_origin(attempt.fault)) return rules_.on_connect_error;
  const bool broke_off = attempt.fault == Fault::kClosedUnanswered || attempt.fault == Fault::kCut;
  if (!broke_off || !rules_.on_reset_before_response) return false;
  return is_listed(attempt.method_text);
}

bool RetryPolicy::may_retry(const Attempt& attempt) const {
  return is_retried(attempt) && attempt.number <= rules_.retries && attempt.content_held && within_budget();
}

void RunningRetry::begin(status::WorkerSlot& slot) {
  if (slot_) return;
  slot_ = &slot;
  slot.retries_running.store(slot.retries_running.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

RunningRetry::~RunningRetry() {
  if (slot_)
    slot_->retries_running.store(slot_->retries_running.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

}   // namespace proxyd::upstream
