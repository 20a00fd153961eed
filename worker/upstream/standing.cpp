#include "worker/upstream/standing.h"

#include <algorithm>

#include "shared/status/slow_start.h"
#include "shared/status/target_health.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::upstream {
namespace {

using status::TargetHealth;
using status::Verdict;

constexpr uint64_t kShortestStep = 100;   // ms

// Of a member that may be asked, were it well.
enum class Health : uint8_t { kWell, kChecking, kFailing, kEjected };

}   // namespace

class Standing::Drawing {
 public:
  Drawing(Standing& standing, const UpstreamGroup& group, const status::StatusRegion& status, uint64_t now_ms)
      : standing_(standing), group_(group), status_(status), now_ms_(now_ms) {}

  void draw() {
    standing_.weights_.assign(group_.members.size(), 0);
    for (auto* list : {&standing_.primaries_, &standing_.backups_, &standing_.ejected_}) list->clear();
    standing_.due_.clear();
    standing_.good_until_ms_ = UINT64_MAX;
    find_health();
    standing_.panics_ = is_panic();
    for (size_t i = 0; i < group_.members.size(); ++i) {
      if (group_.members[i].is_admitted()) place(static_cast<uint16_t>(i));
    }
    make_turn();
  }

 private:
  // Before any was up those that were not checked yet are as good as others.
  void find_health() {
    bool any_was_up = false;
    for (const Member& member : group_.members) {
      if (!group_.check || !member.is_admitted()) continue;
      any_was_up = any_was_up || TargetHealth(status_.health(member.target->row())).checked().was_passing;
    }
    for (const Member& member : group_.members) {
      const TargetHealth health(status_.health(member.target->row()));
      health_.push_back(!member.is_admitted() ? Health::kFailing : health_of(health, any_was_up));
    }
  }

  Health health_of(const TargetHealth& health, bool any_was_up) {
    const Verdict verdict = group_.check ? health.checked().verdict : Verdict::kPassing;
    if (verdict == Verdict::kFailing) return Health::kFailing;
    if (verdict == Verdict::kUnknown && any_was_up) return Health::kChecking;
    const TargetHealth::Circuit circuit = health.circuit();
    if (!group_.passive || circuit.state == TargetHealth::State::kClosed) return Health::kWell;
    if (circuit.until_ms > now_ms_) look_again_at(circuit.until_ms);
    return Health::kEjected;
  }

  bool is_panic() const {
    if (!group_.panic_threshold) return false;
    uint64_t all = 0;
    uint64_t well = 0;
    for (size_t i = 0; i < group_.members.size(); ++i) {
      if (!group_.members[i].is_admitted() || group_.members[i].backup) continue;
      ++all;
      well += health_[i] == Health::kWell ? 1 : 0;
    }
    return well * 100 < all * static_cast<uint64_t>(*group_.panic_threshold);
  }

  void place(uint16_t i) {
    const Member& member = group_.members[i];
    const bool ejected = health_[i] == Health::kEjected && !standing_.panics_;
    if (health_[i] != Health::kWell && !ejected && !standing_.panics_) return;
    const TargetHealth health(status_.health(member.target->row()));
    if (health_[i] == Health::kEjected && health.circuit().until_ms <= now_ms_) standing_.due_.push_back(i);
    const uint64_t since = health.eligible_since_ms(group_.check != nullptr);
    const uint64_t slow_start = static_cast<uint64_t>(member.slow_start.value_or(config::Duration{0}).count());
    const uint32_t weight = status::ramped_weight(member.weight, since, slow_start, now_ms_);
    if (weight < member.weight) look_again_at(now_ms_ + std::max(kShortestStep, slow_start / status::kSlowStartSteps));
    List& list = ejected ? standing_.ejected_ : member.backup ? standing_.backups_ : standing_.primaries_;
    list.push_back({i, weight, (list.empty() ? 0 : list.back().up_to) + weight});
    standing_.weights_[i] = ejected ? 0 : weight;
  }

  // Only where members or weights are others than before: a turn of many members is long in the making.
  void make_turn() {
    if (group_.balance != config::Balance::kRoundRobin) return;
    std::vector<uint32_t> weights;
    std::vector<uint16_t> members;
    for (const Candidate& one : standing_.primaries_) {
      weights.push_back(one.weight);
      members.push_back(one.member);
    }
    if (weights == standing_.turn_weights_ && members == standing_.turn_members_) return;
    standing_.turn_.clear();
    for (const uint16_t at : smooth_weighted_turn(weights)) standing_.turn_.push_back(members[at]);
    standing_.turn_weights_ = std::move(weights);
    standing_.turn_members_ = std::move(members);
  }

  void look_again_at(uint64_t at_ms) { standing_.good_until_ms_ = std::min(standing_.good_until_ms_, at_ms); }

  Standing& standing_;
  const UpstreamGroup& group_;
  const status::StatusRegion& status_;
  uint64_t now_ms_;
  std::vector<Health> health_;
};

// The version is read first: what changes while this is drawn up makes it be drawn up again.
void Standing::look(const UpstreamGroup& group, const status::StatusRegion& status, uint64_t now_ms) {
  const uint64_t version = status.version(group.row).load(std::memory_order_acquire);
  if (version == version_ && now_ms < good_until_ms_) return;
  version_ = version;
  Drawing(*this, group, status, now_ms).draw();
}

}   // namespace proxyd::upstream
