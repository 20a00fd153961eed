#include "worker/proxy/fetch.h"

#include <algorithm>

namespace proxyd::proxy {
namespace {

constexpr int kMostStale = 4;    // connections in a row; of HTTP/1 the second is a new one
constexpr int kMostMissed = 4;   // places in a row that others took first

}   // namespace

void Fetch::count_response(int status) {
  if (status == 0) return;
  const auto by_class = static_cast<size_t>(std::clamp(status / 100, 1, 5) - 1);
  member_->target->counters().by_class[by_class].add();
}

// Whether the attempt's failure, or its response's status, calls for another, and whether that is safe.
bool Fetch::should_retry(int number, int status) {
  if (outcome_ != Attempt::Outcome::kTargetFailed && outcome_ != Attempt::Outcome::kResponse) return false;
  if (request_.total.passed(request_.loop().now())) return false;
  const config::Route& route = request_.matched.route->settings;
  const upstream::RetryPolicy policy(route.retry ? *route.retry : group_.retry, request_.proxy.status());
  return policy.may_retry({.number = number,
                           .fault = attempt_->fault(),
                           .status = status,
                           .content_held = content_.can_rewind(),
                           .method_text = request_.head.method_text});
}

bool Fetch::is_stale() const {
  return outcome_ == Attempt::Outcome::kTargetFailed && attempt_->was_stale() && content_.can_rewind();
}

// Chooses a target and takes a place in its count for an attempt. Another worker may have been quicker to take the last
// one.
upstream::Balancer::Outcome Fetch::find_target() {
  using Outcome = upstream::Balancer::Outcome;
  for (int missed = 0; missed < kMostMissed; ++missed) {
    const upstream::Balancer::Choice choice =
        request_.proxy.balancer().choose(group_, tried_, request_.belongs, request_.loop().now());
    if (choice.outcome != Outcome::kChosen) return choice.outcome;
    member_ = &group_.members[choice.member];
    attempt_.emplace(request_, content_, group_, *member_, upstream::InFlight(member_->target, choice.is_trial));
    if (!member_->is_overfull()) {
      tried_.add(choice.member);
      return Outcome::kChosen;
    }
    attempt_.reset();
  }
  return Outcome::kAllFull;
}

// All are at their max_connections: in line, until there is room or the time is over.
async::Task<upstream::Balancer::Outcome> Fetch::wait_for_room() {
  using Outcome = upstream::Balancer::Outcome;
  upstream::WaitingLine& line = *group_.line;
  if (line.is_full()) co_return Outcome::kAllFull;
  group_.queued.add();
  const Instant began = request_.loop().now();
  const Deadline deadline = Deadline::at(began + group_.queue.wait).earlier_of(request_.total);
  upstream::WaitingLine::Place place(line);
  Outcome outcome = Outcome::kAllFull;
  for (bool in_time = true; in_time && outcome == Outcome::kAllFull;) {
    in_time = co_await place.turn(deadline);
    outcome = find_target();
  }
  request_.queued = std::chrono::duration_cast<std::chrono::microseconds>(request_.loop().now() - began);
  co_return outcome;
}

void Fetch::try_again_afresh() {
  content_.rewind();
  upstream::InFlight place = attempt_->take_place();
  attempt_.emplace(request_, content_, group_, *member_, std::move(place));
}

async::Task<Fetch::Outcome> Fetch::run() {
  request_.facts.upstream = group_.name;
  for (int number = 1;; ++number) {
    const bool others_wait = number == 1 && group_.has_limits && group_.line && !group_.line->empty();
    auto found = others_wait ? upstream::Balancer::Outcome::kAllFull : find_target();
    if (found == upstream::Balancer::Outcome::kAllFull && group_.line) found = co_await wait_for_room();
    if (found != upstream::Balancer::Outcome::kChosen) {
      outcome_ = Attempt::Outcome::kTargetFailed;
      co_return found == upstream::Balancer::Outcome::kAllFull ? Outcome::kAllFull : Outcome::kNoTarget;
    }
    request_.facts.target = member_->id;
    request_.attempts = number;
    outcome_ = co_await attempt_->run(false);
    // A pooled connection that its origin had closed before it saw the request says nothing about the target
    // (RFC 9112 9.3.1), nor does one that it was about to end (RFC 9113 6.8): the same target again, on another.
    for (int stale = 0; stale < kMostStale && is_stale(); ++stale) {
      try_again_afresh();
      outcome_ = co_await attempt_->run(true);
    }
    const int status = outcome_ == Attempt::Outcome::kResponse ? attempt_->exchange().response().status : 0;
    count_response(status);
    if (!attempt_->was_stale()) attempt_->report(outcome_);
    if (attempt_->was_cut()) count_cut();
    if (!should_retry(number, status)) break;
    running_.begin(request_.proxy.status().worker(request_.proxy.slot()));
    group_.retries.add();
    content_.rewind();
    attempt_.reset();
  }
  co_return outcome_ == Attempt::Outcome::kResponse ? Outcome::kResponse : Outcome::kAttemptFailed;
}

async::Task<Fetch::Outcome> Fetch::end_of_upload() {
  outcome_ = co_await attempt_->end_of_upload();
  co_return outcome_ == Attempt::Outcome::kResponse ? Outcome::kResponse : Outcome::kAttemptFailed;
}

}   // namespace proxyd::proxy
