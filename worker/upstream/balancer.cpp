#include "worker/upstream/balancer.h"

namespace proxyd::upstream {
namespace {

using Outcome = Balancer::Outcome;

bool usable(const UpstreamGroup& group, uint16_t member, const Tried& tried) {
  return !tried.holds(member) && group.members[member].has_room();
}

// The first usable one from `start` on, around the list.
Balancer::Choice first_usable(const UpstreamGroup& group, const std::vector<uint16_t>& list, size_t start,
                              const Tried& tried) {
  bool any_untried = false;
  for (size_t i = 0; i < list.size(); ++i) {
    const uint16_t member = list[(start + i) % list.size()];
    any_untried = any_untried || !tried.holds(member);
    if (usable(group, member, tried)) return {Outcome::kChosen, member};
  }
  return {any_untried ? Outcome::kAllFull : Outcome::kNoneEligible};
}

}   // namespace

// xorshift64*: good enough to spread, and cheap.
uint64_t Balancer::next_random() {
  random_ ^= random_ >> 12;
  random_ ^= random_ << 25;
  random_ ^= random_ >> 27;
  return random_ * 0x2545F4914F6CDD1Du;
}

Balancer::Choice Balancer::by_turn(const UpstreamGroup& group, const Tried& tried) {
  // A retry takes what is next without taking the turn from the request that comes next.
  std::atomic<uint64_t>& next = status_.turn(group.turn_row);
  const uint64_t turn =
      tried.count == 0 ? next.fetch_add(1, std::memory_order_relaxed) : next.load(std::memory_order_relaxed);
  return first_usable(group, group.schedule, turn % group.schedule.size(), tried);
}

// Two at random, by their weights, and of them the one with fewer requests in flight for its weight; of two that are
// idle the first, so that weights hold where there is little to do as well.
Balancer::Choice Balancer::by_two_choices(const UpstreamGroup& group, const std::vector<uint16_t>& candidates,
                                          const Tried& tried) {
  const size_t count = candidates.size();
  const uint64_t random = next_random();
  const size_t first = (random & 0xFFFFFFFF) % count;
  if (count == 1 || tried.count > 0) return first_usable(group, candidates, first, tried);
  const size_t second = (first + 1 + (random >> 32) % (count - 1)) % count;
  const Member& a = group.members[candidates[first]];
  const Member& b = group.members[candidates[second]];
  const uint64_t load_a = uint64_t{a.target->in_flight_everywhere()} * b.weight;
  const uint64_t load_b = uint64_t{b.target->in_flight_everywhere()} * a.weight;
  const size_t better = load_a <= load_b ? first : second;
  if (usable(group, candidates[better], tried)) return {Outcome::kChosen, candidates[better]};
  return first_usable(group, candidates, first, tried);
}

Balancer::Choice Balancer::choose_among(const UpstreamGroup& group, const std::vector<uint16_t>& candidates,
                                        const Tried& tried) {
  if (candidates.empty()) return {};
  const bool primaries = &candidates == &group.primaries;
  if (group.balance == config::Balance::kRoundRobin && primaries) return by_turn(group, tried);
  return by_two_choices(group, primaries ? group.schedule : candidates, tried);
}

Balancer::Choice Balancer::choose(const UpstreamGroup& group, const Tried& tried) {
  Choice best;
  for (const Tried& avoided : {tried, Tried{}}) {
    for (const auto* candidates : {&group.primaries, &group.backups}) {
      const Choice choice = choose_among(group, *candidates, avoided);
      if (choice.outcome == Outcome::kChosen) return choice;
      if (choice.outcome == Outcome::kAllFull) best = choice;
    }
    if (tried.count == 0) break;
  }
  return best;
}

}   // namespace proxyd::upstream
