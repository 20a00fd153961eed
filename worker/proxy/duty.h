#pragma once

#include <cstdint>

#include "shared/cache/fill.h"

namespace proxyd::proxy {

// Whom a request asks the origin for.
enum class Role : uint8_t {
  kForItself,          // though what comes may be stored, where nobody else asks for all
  kFills,              // for all who want the same: nothing that fits is stored
  kRevalidates,        // for all who want the same: what is stored may not be used as it is
  kRevalidatesAlone,   // on a condition, side by side with others, for what comes is good for itself alone
};

// A request's duty to others who want the same, and the right that goes with it: to fill, or to revalidate. Who
// revalidates and is given another content fills that, and holds the claim until its head is written: nobody who waits
// for the one asks again meanwhile. Owned by the request; given back when that goes. Nothing suspends or fails.
class Duty {
 public:
  Role role() const { return role_; }
  bool is_for_all() const { return role_ == Role::kFills || role_ == Role::kRevalidates; }
  bool is_for_cache() const { return role_ != Role::kForItself; }
  bool revalidates() const { return role_ == Role::kRevalidates || role_ == Role::kRevalidatesAlone; }

  // Nothing changes where there is no right to it.
  void fill(cache::Filler filler);
  void revalidate(cache::Revalidation claim);
  void revalidate_alone() { move_to(Role::kRevalidatesAlone); }

  // While it fills.
  cache::Filler& filler() { return filler_; }
  // The head is written: it is found now instead of what was revalidated.
  void end_claim() { claim_ = {}; }
  // The right to fill is for whoever takes it. Empty where there is none.
  cache::Filler hand_over();

  // Nothing is filled. Until then (steady milliseconds) nobody queues for it; 0: who comes next does.
  void stop_filling(int64_t pass_until);
  // Nobody need wait for this request any more. `how`: what those who waited for a validation are told.
  void give_up(cache::ClaimEnd how);

 private:
  void move_to(Role to);

  Role role_ = Role::kForItself;
  cache::Filler filler_;
  cache::Revalidation claim_;
};

}   // namespace proxyd::proxy
