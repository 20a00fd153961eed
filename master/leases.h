#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/clock.h"

namespace proxyd::master {

// When the leases of dynamic targets end ("app/one" → time). It is kept in memory alone, so a renewal costs no disk,
// and each lease begins anew with the process: nobody could renew one while there was none. Owned by the configuration;
// any thread. Bounded by the targets: `keep_only` forgets the others.
class Leases {
 public:
  // From now on; the target's lease may have ended before.
  void begin(const std::string& name, milliseconds lease);
  void end(const std::string& name);
  // Once more from now on. False when there is none, or it has been found to have ended: then it is too late for this.
  bool renew(const std::string& name, milliseconds lease);
  std::optional<Instant> ends(const std::string& name) const;
  // Those that have ended by now, which none can renew any more.
  std::vector<std::string> take_ended(Instant now);
  template <class Stays>
  void keep_only(Stays stays) {
    const std::lock_guard lock(mutex_);
    std::erase_if(all_, [&stays](const auto& entry) { return !stays(entry.first); });
  }

 private:
  struct Lease {
    Instant ends{};
    bool ended = false;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Lease> all_;
};

}   // namespace proxyd::master
