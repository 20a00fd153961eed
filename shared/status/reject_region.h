#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/memory/region.h"
#include "shared/memory/worker_slots.h"

namespace proxyd::status {

// A refused message, from a client or an upstream: what `GET /rejects` and `proxyctl logs rejects` show.
struct Reject {
  int64_t time_ms = 0;   // wall clock
  bool from_upstream = false;
  std::string peer;            // a client's address, "192.0.2.1", or a target's id
  std::string reason;          // "te_and_cl"
  uint32_t fault_offset = 0;   // of the byte that was wrong, within the message
  std::string excerpt;         // the first 1 KiB, Cookie and Authorization values blanked
};

// The same while it is recorded: views, so that a refusal costs no allocation.
struct RejectView {
  int64_t time_ms = 0;
  bool from_upstream = false;
  std::string_view peer;
  std::string_view reason;
  uint32_t fault_offset = 0;
  std::string_view excerpt;   // as received; cut and blanked when it is recorded
};

// A ring of the last refused messages of each worker, in shared memory, so that a flood of them costs the worker a few
// stores and the master nothing. One writer per slot; a reader takes a copy and drops what changed meanwhile (a
// sequence per entry). Bounded: 64 entries a slot for the first 64 slots.
class RejectRegion {
 public:
  static Result<RejectRegion> create();
  static Result<RejectRegion> adopt(UniqueFd descriptor);

  int descriptor() const { return region_.descriptor(); }
  // The worker of this slot only.
  void record(uint32_t slot, const RejectView& reject) const;
  std::vector<Reject> newest(size_t limit) const;   // newest first

 private:
  explicit RejectRegion(memory::Region region) : region_(std::move(region)) {}
  memory::Region region_;
};

}   // namespace proxyd::status
