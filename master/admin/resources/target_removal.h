#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "master/admin/context.h"
#include "master/admin/exchange.h"
#include "master/admin/operations.h"
#include "master/admin/resources/target_watch.h"
#include "master/store/store.h"
#include "shared/base/clock.h"

namespace proxyd::admin {

// A target on its way out of the document, or out of a dynamic upstream: it drains, what has not ended is cut and
// counted, or keeps it, and it is taken out. A value that holds the call; it blocks the thread that runs it, the
// operation's or, forced, the caller's. What fails or is cancelled leaves the target as it was before; nothing is cut
// any more from then on. How many requests were cut is the workers' own count.
class TargetRemoval {
 public:
  // The target that is watched drains already; `former` is what that had replaced.
  TargetRemoval(AdminRequest request, Context& context, std::optional<store::Override> former, TargetWatch watch)
      : request_(std::move(request)), context_(context), former_(std::move(former)), watch_(std::move(watch)) {}

  // The part of a removal that goes on without its caller: waits for `drain`, then cuts, or with ?keep=true gives up.
  Operations::Ending run(const Operations::Control& control, milliseconds drain);
  // Cuts at once and takes it out; at most 2 s and the time of the change.
  AdminAnswer force();
  // Takes it out of the document; `cut` requests were cut for it.
  AdminAnswer take_out(uint32_t cut);
  // It is not removed, for the reason that `answer` says: the target is again what it was before it was drained.
  AdminAnswer given_back(AdminAnswer answer) const;

 private:
  Operations::Ending kept();
  Operations::Ending given_up(bool by_a_caller, uint32_t cut) const;
  // `wait` waits and says whether the removal goes on.
  uint32_t cut_rest(const std::function<bool(milliseconds)>& wait);

  AdminRequest request_;
  Context& context_;
  std::optional<store::Override> former_;
  TargetWatch watch_;
};

}   // namespace proxyd::admin
