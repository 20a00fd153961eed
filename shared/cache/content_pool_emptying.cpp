#include <algorithm>
#include <array>
#include <optional>

#include "shared/cache/content_pool.h"

// Which segment to empty. To look at it is to look at whose blocks are in it: a segment with few blocks in use may hold
// the heads of all that is large, and to empty it costs as much as they weigh together.
namespace proxyd::cache {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint32_t kMostLooked = 256;   // segments, of which one line is read
constexpr uint32_t kMostJudged = 32;    // of these, whose owners are looked at
constexpr uint32_t kSample = 32;        // blocks of each

}   // namespace

// What is lost is never less than what is in use, so that most need no closer look once a cheap one is found.
ContentPool::Emptying ContentPool::cheapest_to_empty(uint32_t first) const {
  const uint32_t count = touched_segments();
  const uint32_t segment_size = member_.view.geometry().segment_size;
  Emptying cheapest{kNone, ~uint64_t{0}, 0};
  uint32_t judged = 0;
  uint32_t looked = 0;
  for (; looked < std::min(count, kMostLooked) && judged < kMostJudged; ++looked) {
    const uint32_t number = (first + looked) % count;
    const Segment& segment = member_.view.segment(number);
    const uint32_t cut = segment.cut.load(kRelaxed);
    if (cut == 0 || cut > kSizeClasses) continue;
    const uint64_t free = uint64_t{segment.free_blocks.load(kRelaxed)} * kClassGranules[cut - 1] * kGranule;
    const uint64_t used = segment_size - std::min<uint64_t>(free, segment_size);
    if (used >= cheapest.loss) continue;
    ++judged;
    const auto loss = loss_of(number, used, cheapest.loss);
    if (loss && *loss < cheapest.loss) cheapest = {number, *loss, 0};
  }
  cheapest.next = count == 0 ? 0 : (first + looked) % count;
  return cheapest;
}

// Octets that go with it, as far as a sample of its blocks says, between `least` and as much as matters. What fills
// stays, and what is dead is going already. Nothing: none of the sample can be killed.
std::optional<uint64_t> ContentPool::loss_of(uint32_t number, uint64_t least, uint64_t most) const {
  const Segment& segment = member_.view.segment(number);
  const uint64_t size = member_.view.size_of_cut(segment.cut.load(kRelaxed));
  if (size == 0) return std::nullopt;
  const auto blocks = static_cast<uint32_t>(member_.view.geometry().segment_size / size);
  const uint32_t sampled = std::min(blocks, kSample);
  std::array<uint32_t, kSample> owners{};
  uint32_t seen = 0;
  uint64_t octets = 0;
  bool any = false;
  for (uint32_t i = 0; i < sampled && octets < most; ++i) {
    const uint32_t owner = segment.owner[uint64_t{i} * blocks / sampled].load(kRelaxed);
    if (owner == 0 || std::find(owners.begin(), owners.begin() + seen, owner) != owners.begin() + seen) continue;
    owners[seen++] = owner;
    const Object& object = member_.view.object(owner - 1);
    const Life life = Life::of(object.life.load(kRelaxed));
    if (life.dead || (life.state != State::complete && life.state != State::pass)) continue;
    octets += std::max(size, object.filled.load(kRelaxed));
    any = true;
  }
  if (!any) return std::nullopt;
  return std::max(least, octets * blocks / sampled);
}

}   // namespace proxyd::cache
