#pragma once

#include <optional>

#include "worker/async/task.h"
#include "worker/proxy/attempt.h"
#include "worker/proxy/filtered_content.h"
#include "worker/proxy/relay/held_content.h"
#include "worker/proxy/request.h"
#include "worker/upstream/retry_policy.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::proxy {

// A request's way to an origin: a target of the group is chosen, perhaps after waiting for room at one, and tried, then
// another, while that is safe and within the budget. Lies in the frame of the request's path; destroying it abandons
// what it is at. Answers nobody: what came of it is for the path to say.
class Fetch {
 public:
  Fetch(Request& request, const upstream::UpstreamGroup& group)
      : request_(request),
        group_(group),
        filtered_(request.exchange.content(), request.arena()),
        content_(filtered_, request.proxy.buffers(), !request.head.content.is_empty()) {}

  // kNoTarget: nobody can be asked; kAllFull: nobody just now. All else is what the last attempt came to.
  enum class Outcome : uint8_t { kResponse, kNoTarget, kAllFull, kAttemptFailed };

  // Until the head of a final response is there, or no attempt is left. Suspends.
  async::Task<Outcome> run();

  // After kResponse: waits a moment for the end of the upload, which goes on after that. Suspends.
  async::Task<Outcome> end_of_upload();

  // Where there is no response: nobody could be asked, or who was asked did not answer; else it is the client's doing.
  bool failed_by_origin() const {
    return outcome_ == Attempt::Outcome::kTargetFailed || outcome_ == Attempt::Outcome::kTotalTimeout;
  }
  const upstream::UpstreamGroup& group() const { return group_; }
  // The last one, if a target was chosen.
  Attempt& attempt() { return *attempt_; }
  Attempt::Outcome attempt_outcome() const { return outcome_; }
  // The response broke off because somebody here ended it.
  void count_cut() { member_->target->count_cut(); }
  // Who was chosen last.
  const upstream::Member& member() const { return *member_; }

 private:
  upstream::Balancer::Outcome find_target();
  async::Task<upstream::Balancer::Outcome> wait_for_room();
  void try_again_afresh();
  void count_response(int status);
  bool is_stale() const;
  bool should_retry(int number, int status);

  Request& request_;
  const upstream::UpstreamGroup& group_;
  FilteredContent filtered_;
  HeldContent content_;
  upstream::RunningRetry running_;
  upstream::Tried tried_;
  const upstream::Member* member_ = nullptr;
  std::optional<Attempt> attempt_;
  Attempt::Outcome outcome_ = Attempt::Outcome::kTargetFailed;
};

}   // namespace proxyd::proxy
