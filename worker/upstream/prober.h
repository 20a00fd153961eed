#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "shared/status/prober_lease.h"
#include "worker/async/task_group.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::upstream {

// Checks the targets of all upstreams with active checks, while its worker holds the prober's lease: each about once an
// interval, a new one at once, the one that is most overdue first; at most 256 at a time. When a check began is in the
// status region, so who takes over goes on where another ended. Owned by the worker; one thread.
class Prober : private async::Wakeup {
 public:
  using Groups = std::map<std::string, UpstreamGroup>;

  Prober(async::EventLoop& loop, const status::StatusRegion& status, uint32_t slot);

  // The upstreams in force, kept alive with the configuration that they belong to.
  void follow(std::shared_ptr<const Groups> groups);
  // Called about once a second: takes, keeps or gives up the lease.
  void renew();

  // One check of a member now, whoever is the prober, noted as the others are. It has a probe. Suspends.
  static async::Task<CheckResult> check_once(std::shared_ptr<const Groups> groups, const UpstreamGroup& group,
                                             const Member& member);

 private:
  struct Due {
    uint64_t at_ms = 0;
    const UpstreamGroup* group = nullptr;
    const Member* member = nullptr;
  };
  class Running;

  void look();
  void look_at(uint64_t at_ms);
  std::vector<Due> collect(uint64_t now_ms, uint64_t& next_ms) const;
  async::Task<void> check(std::shared_ptr<const Groups> groups, Due due);

  async::EventLoop& loop_;
  const status::StatusRegion& status_;
  status::ProberLease lease_;
  std::shared_ptr<const Groups> groups_;
  std::set<uint32_t> running_;   // rows
  uint64_t next_look_ms_ = 0;
  bool holds_lease_ = false;
  async::Timer timer_;
  async::TaskGroup tasks_;   // goes before what its tasks use
};

}   // namespace proxyd::upstream
