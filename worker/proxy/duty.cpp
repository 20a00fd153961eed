#include "worker/proxy/duty.h"

#include <cassert>
#include <utility>

namespace proxyd::proxy {

// Only a new request begins to revalidate. Whoever does may fill instead, and falls back as long as the claim is held.
void Duty::move_to(Role to) {
  assert(to == Role::kFills || to == Role::kForItself || role_ == Role::kForItself ||
         (role_ == Role::kFills && to == Role::kRevalidates && claim_));
  role_ = to;
}

void Duty::fill(cache::Filler filler) {
  if (!filler) return;
  filler_ = std::move(filler);
  move_to(Role::kFills);
}

void Duty::revalidate(cache::Revalidation claim) {
  if (!claim) return;
  claim_ = std::move(claim);
  move_to(Role::kRevalidates);
}

cache::Filler Duty::hand_over() {
  if (role_ != Role::kFills) return {};
  move_to(claim_ ? Role::kRevalidates : Role::kForItself);
  return std::move(filler_);
}

void Duty::stop_filling(int64_t pass_until) {
  cache::Filler filler = hand_over();
  const bool is_empty = filler && filler.response().state() == cache::State::opening;
  if (is_empty && pass_until > 0) filler.not_cacheable(pass_until);
}

void Duty::give_up(cache::ClaimEnd how) {
  if (role_ == Role::kForItself) return;   // as most requests do
  filler_ = {};
  claim_.end(how);
  move_to(Role::kForItself);
}

}   // namespace proxyd::proxy
