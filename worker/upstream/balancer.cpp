#include "worker/upstream/balancer.h"

#include <algorithm>

#include "shared/status/target_health.h"

namespace proxyd::upstream {
namespace {

using Outcome = Balancer::Outcome;
using Choice = Balancer::Choice;
using List = Standing::List;

// Of consistent hashing: a member with half as much again as its share in flight passes requests on to the next on the
// ring, but a few in flight are no load.
constexpr uint64_t kLoadPercent = 150;
constexpr uint64_t kNoLoad = 10;
constexpr size_t kLongestWalk = 4096;

bool usable(const UpstreamGroup& group, uint16_t member, const Tried& tried) {
  return !tried.holds(member) && group.members[member].has_room();
}

uint64_t load_of(const UpstreamGroup& group, const Standing::Candidate& one) {
  return group.members[one.member].target->in_flight_everywhere();
}

uint64_t load_of_all(const UpstreamGroup& group, const List& list) {
  uint64_t sum = 0;
  for (const Standing::Candidate& one : list) sum += load_of(group, one);
  return sum;
}

// The first usable one from `start` on, around the list; `member_of` tells who an entry is.
template <class Entries, class MemberOf>
Choice first_usable(const UpstreamGroup& group, const Entries& list, size_t start, const Tried& tried,
                    MemberOf member_of) {
  bool any_untried = false;
  for (size_t i = 0; i < list.size(); ++i) {
    const uint16_t member = member_of(list[(start + i) % list.size()]);
    any_untried = any_untried || !tried.holds(member);
    if (usable(group, member, tried)) return {Outcome::kChosen, member};
  }
  return {any_untried ? Outcome::kAllFull : Outcome::kNoneEligible};
}

Choice first_usable(const UpstreamGroup& group, const List& list, size_t start, const Tried& tried) {
  return first_usable(group, list, start, tried, [](const Standing::Candidate& one) { return one.member; });
}

// Whose part of the weights `at` lies in.
size_t place_of(const List& list, uint64_t at) {
  const auto found = std::upper_bound(
      list.begin(), list.end(), at, [](uint64_t wanted, const Standing::Candidate& one) { return wanted < one.up_to; });
  return static_cast<size_t>(found - list.begin());
}

}   // namespace

// xorshift64*: good enough to spread, and cheap.
uint64_t Balancer::next_random() {
  random_ ^= random_ >> 12;
  random_ ^= random_ << 25;
  random_ ^= random_ >> 27;
  return random_ * 0x2545F4914F6CDD1Du;
}

Choice Balancer::by_turn(const UpstreamGroup& group, const Tried& tried) {
  // A retry takes what is next without taking the turn from the request that comes next.
  const std::vector<uint16_t>& turn = group.standing->turn();
  std::atomic<uint64_t>& next = status_.turn(group.row);
  const uint64_t at =
      tried.count == 0 ? next.fetch_add(1, std::memory_order_relaxed) : next.load(std::memory_order_relaxed);
  return first_usable(group, turn, at % turn.size(), tried, [](uint16_t member) { return member; });
}

// Two at random, by their weights, and of them the one with fewer requests in flight for its weight; of two that are
// equal the first, so that weights hold where there is little to do as well.
Choice Balancer::by_two_choices(const UpstreamGroup& group, const List& candidates, const Tried& tried) {
  const uint64_t all = candidates.back().up_to;
  const uint64_t random = next_random();
  const size_t first = candidates.size() == 1 ? 0 : place_of(candidates, (random >> 32) * all >> 32);
  if (candidates.size() == 1 || tried.count > 0) return first_usable(group, candidates, first, tried);
  const Standing::Candidate& a = candidates[first];
  uint64_t at = (random & 0xFFFFFFFF) * (all - a.weight) >> 32;   // among the others
  if (at >= a.up_to - a.weight) at += a.weight;
  const Standing::Candidate& b = candidates[place_of(candidates, at)];
  const uint16_t better = load_of(group, a) * b.weight <= load_of(group, b) * a.weight ? a.member : b.member;
  if (usable(group, better, tried)) return {Outcome::kChosen, better};
  return first_usable(group, candidates, first, tried);
}

// Who has the fewest in flight for its weight; of several the first after a place drawn by weight.
Choice Balancer::by_fewest(const UpstreamGroup& group, const List& candidates, const Tried& tried) {
  const size_t start = place_of(candidates, (next_random() >> 32) * candidates.back().up_to >> 32);
  const Standing::Candidate* best = nullptr;
  uint64_t least = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const Standing::Candidate& one = candidates[(start + i) % candidates.size()];
    if (!usable(group, one.member, tried)) continue;
    const uint64_t load = load_of(group, one);
    if (best && load * best->weight >= least * one.weight) continue;
    best = &one;
    least = load;
  }
  return best ? Choice{Outcome::kChosen, best->member} : first_usable(group, candidates, start, tried);
}

// Along the ring to the first that may be asked and has no more than its share to do. A weight that is smaller for now
// uses the first of its points alone.
Choice Balancer::by_hash(const UpstreamGroup& group, const Tried& tried, uint32_t hash) {
  const KetamaRing& ring = *group.ring;
  const Standing& standing = *group.standing;
  std::optional<uint64_t> in_flight;   // at all; summed up when it matters
  const uint64_t weights = standing.primaries().back().up_to;
  const size_t start = ring.find(hash);
  for (size_t i = 0; i < std::min(ring.points().size(), kLongestWalk); ++i) {
    const KetamaRing::Point& point = ring.points()[(start + i) % ring.points().size()];
    const uint32_t weight = standing.weight_of(point.owner);
    if (point.number >= ring.points_of(weight) || !usable(group, point.owner, tried)) continue;
    const uint64_t load = group.members[point.owner].target->in_flight_everywhere();
    if (load < kNoLoad) return {Outcome::kChosen, point.owner};
    if (!in_flight) in_flight = load_of_all(group, standing.primaries()) + 1;
    if (load * 100 * weights <= *in_flight * kLoadPercent * weight) return {Outcome::kChosen, point.owner};
  }
  return by_fewest(group, standing.primaries(), tried);
}

Choice Balancer::choose_among(const UpstreamGroup& group, const List& candidates, const Tried& tried,
                              const Belongs& belongs) {
  if (candidates.empty()) return {};
  const bool primaries = &candidates == &group.standing->primaries();
  switch (primaries ? group.balance : config::Balance::kP2c) {
    case config::Balance::kRoundRobin: return by_turn(group, tried);
    case config::Balance::kLeastRequests: return by_fewest(group, candidates, tried);
    case config::Balance::kConsistentHash: return by_hash(group, tried, belongs.hash);
    case config::Balance::kP2c: break;
  }
  return by_two_choices(group, candidates, tried);
}

bool Balancer::keeps(const UpstreamGroup& group, uint16_t member) const {
  const Member& own = group.members[member];
  const status::TargetHealth health(status_.health(own.target->row()));
  const bool failing = group.check && health.checked().verdict == status::Verdict::kFailing;
  const bool ejected = group.passive && health.circuit().state != status::TargetHealth::State::kClosed;
  return own.keeps_clients() && !failing && !ejected;
}

// A client's own target, though that drains or weighs nothing; room there is waited for.
std::optional<Choice> Balancer::own(const UpstreamGroup& group, const Belongs& belongs) const {
  if (!belongs.member || !keeps(group, *belongs.member)) return std::nullopt;
  if (group.members[*belongs.member].has_room()) return Choice{Outcome::kChosen, *belongs.member};
  return group.line ? std::optional(Choice{Outcome::kAllFull}) : std::nullopt;
}

std::optional<Choice> Balancer::trial(const UpstreamGroup& group, Instant now) const {
  for (const uint16_t member : group.standing->due()) {
    if (!group.members[member].has_room()) continue;
    if (group.passive->begin_trial(group.members[member].target->row(), now))
      return Choice{Outcome::kChosen, member, true};
  }
  return std::nullopt;
}

// Of the candidates in their order; room at one that is well is waited for.
Choice Balancer::choose_avoiding(const UpstreamGroup& group, const Tried& avoided, const Belongs& belongs) {
  const Standing& standing = *group.standing;
  Choice best;
  for (const List* candidates : {&standing.primaries(), &standing.backups(), &standing.ejected()}) {
    if (candidates == &standing.ejected() && best.outcome == Outcome::kAllFull) break;
    const Choice choice = choose_among(group, *candidates, avoided, belongs);
    if (choice.outcome == Outcome::kChosen) return choice;
    if (choice.outcome == Outcome::kAllFull) best = choice;
  }
  return best;
}

Choice Balancer::choose(const UpstreamGroup& group, const Tried& tried, const Belongs& belongs, Instant now) {
  const Standing& standing = group.standing_at(now);
  if (tried.count == 0) {
    if (const auto before = own(group, belongs)) return *before;
    if (const auto half_open = trial(group, now)) return *half_open;
    const List& primaries = standing.primaries();
    const bool alone = primaries.size() == 1 && group.members[primaries[0].member].has_room();
    return alone ? Choice{Outcome::kChosen, primaries[0].member} : choose_avoiding(group, tried, belongs);
  }
  const Choice another = choose_avoiding(group, tried, belongs);
  if (another.outcome == Outcome::kChosen) return another;
  const Choice again = choose_avoiding(group, {}, belongs);
  return again.outcome == Outcome::kNoneEligible ? another : again;
}

}   // namespace proxyd::upstream
