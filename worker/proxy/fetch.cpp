#include "worker/proxy/fetch.h"

#include <algorithm>

namespace proxyd::proxy {
namespace {

constexpr int kMostStale = 4;   // connections in a row; of HTTP/1 the second is a new one

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

async::Task<Fetch::Outcome> Fetch::run() {
  request_.facts.upstream = group_.name;
  for (int number = 1;; ++number) {
    const upstream::Balancer::Choice choice = request_.proxy.balancer().choose(group_, tried_);
    if (choice.outcome != upstream::Balancer::Outcome::kChosen) {
      outcome_ = Attempt::Outcome::kTargetFailed;
      const bool full = choice.outcome == upstream::Balancer::Outcome::kAllFull;
      co_return full ? Outcome::kAllFull : Outcome::kNoTarget;
    }
    member_ = &group_.members[choice.member];
    request_.facts.target = member_->id;
    request_.attempts = number;
    tried_.add(choice.member);
    attempt_.emplace(request_, content_, group_, *member_);
    outcome_ = co_await attempt_->run(false);
    // A pooled connection that its origin had closed before it saw the request says nothing about the target
    // (RFC 9112 9.3.1), nor does one that it was about to end (RFC 9113 6.8): the same target again, on another.
    for (int stale = 0; stale < kMostStale && is_stale(); ++stale) {
      content_.rewind();
      attempt_.emplace(request_, content_, group_, *member_);
      outcome_ = co_await attempt_->run(true);
    }
    const int status = outcome_ == Attempt::Outcome::kResponse ? attempt_->exchange().response().status : 0;
    count_response(status);
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
