#pragma once

#include <cstdint>
#include <vector>

#include "shared/status/status_region.h"

namespace proxyd::upstream {

struct UpstreamGroup;

// Who of a group may get requests now, as its worker saw it last: what all workers know of the members' health, drawn
// up anew when that changed or when time does (an ejection ends, a slow start goes on). Owned by the group; one thread;
// allocates when it is drawn up.
class Standing {
 public:
  // Brings it up to date; costs two comparisons when it is.
  void look(const UpstreamGroup& group, const status::StatusRegion& status, uint64_t now_ms);

  // A member with the weight that it has now.
  struct Candidate {
    uint16_t member = 0;
    uint32_t weight = 0;
    uint64_t up_to = 0;   // the weights of the list up to and with this one
  };
  using List = std::vector<Candidate>;
  const List& primaries() const { return primaries_; }
  const List& backups() const { return backups_; }
  // Ejected ones, asked when nobody else is left.
  const List& ejected() const { return ejected_; }
  // Those of them whose time is over: the next request may be their trial.
  const std::vector<uint16_t>& due() const { return due_; }
  // By member: what it weighs now; 0: it may not be asked.
  uint32_t weight_of(uint16_t member) const { return weights_[member]; }
  // One full turn of the smooth weighted round robin over the primaries; empty where that is not the algorithm.
  const std::vector<uint16_t>& turn() const { return turn_; }
  // So few are well that all get requests.
  bool panics() const { return panics_; }
  bool nobody() const { return primaries_.empty() && backups_.empty() && ejected_.empty(); }

 private:
  class Drawing;
  List primaries_;
  List backups_;
  List ejected_;
  std::vector<uint16_t> due_;
  std::vector<uint32_t> weights_;
  std::vector<uint16_t> turn_;
  std::vector<uint32_t> turn_weights_;   // that it was made of
  std::vector<uint16_t> turn_members_;
  uint64_t version_ = UINT64_MAX;
  uint64_t good_until_ms_ = 0;
  bool panics_ = false;
};

}   // namespace proxyd::upstream
