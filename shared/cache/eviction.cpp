#include "shared/cache/eviction.h"

#include <algorithm>
#include <array>

#include "shared/cache/step.h"

namespace proxyd::cache {
namespace {

constexpr uint64_t kSmallPart = 10;      // the small queue has a tenth of the capacity
constexpr uint64_t kWindow = 10;         // counters raised for each object until all are halved
constexpr uint32_t kLeastPart = 16;      // of the rows: the fewest objects that sketch and ghosts are kept for
constexpr uint32_t kMostExamined = 32;   // victims whose sum decides
constexpr uint32_t kMostMoves = 64;      // second chances given before one must leave

}   // namespace

Eviction::Eviction(const EvictionMemory& memory)
    : state_(*memory.state),
      entries_(memory.entries),
      small_(state_.small, state_.journal, entries_, Place::small),
      main_(state_.main, state_.journal, entries_, Place::main),
      ghosts_(state_.ghost_clock, memory.ghosts),
      frequency_(state_.frequency, memory.frequencies) {}

void Eviction::reset(uint64_t capacity) {
  for (uint32_t index = 0; index < entries_.count(); ++index) entries_[index].forget();
  small_.reset();
  main_.reset();
  state_.journal.note({});
  state_.ghost_clock = 0;
  ghosts_.clear();
  frequency_.clear();
  frequency_.set_window(kWindow * remembered());
  set_capacity(capacity);
}

void Eviction::set_capacity(uint64_t capacity) { state_.capacity = capacity; }

uint64_t Eviction::small_share() const { return state_.capacity / kSmallPart; }

EvictionQueue& Eviction::queue(Place place) { return place == Place::small ? small_ : main_; }

Place Eviction::place_of(uint32_t index) const { return entries_[index].place.load(std::memory_order_relaxed); }

// The sketch and the ghosts reach as far back as there are objects; a cache of a few does not forget at once.
uint32_t Eviction::remembered() const { return std::max(objects(), entries_.count() / kLeastPart); }

bool Eviction::room(uint64_t used, uint64_t added) const {
  return used <= state_.capacity && added <= state_.capacity - used;
}

Admission Eviction::admit(uint64_t hash, uint64_t added, bool row_free) {
  if (added > state_.capacity) return {Verdict::exceeds_capacity, Place::none};
  const uint32_t fingerprint = fingerprint_of(hash);
  const uint32_t frequency = frequency_.estimate(fingerprint);
  const bool there_is_room = row_free && fits(added);
  if (!there_is_room && added > small_share() && frequency < 2) return {Verdict::first_request, Place::none};
  if (!there_is_room && !wins(frequency, added)) {
    ghosts_.add(fingerprint);
    return {Verdict::less_popular, Place::none};
  }
  const bool to_main = added > small_share() || ghosts_.contains(fingerprint, remembered());
  return {Verdict::enters, to_main ? Place::main : Place::small};
}

// A newcomer against the sum of those that would leave. A newcomer counted as often as can be counted was asked for
// that often or any number of times more: it is held against each alone, or nothing that needs the place of fifteen
// others could ever enter a full cache. When it loses they start anew in the small queue, so that the next meets
// others.
bool Eviction::wins(uint32_t frequency, uint64_t added) {
  std::array<uint32_t, kMostExamined> examined{};
  uint32_t count = 0;
  uint32_t sum = 0;
  uint64_t left = weight();
  bool ahead = true;
  Walk walk = begin();
  while (ahead && count < kMostExamined) {
    const auto index = next_victim(walk);
    if (!index) return true;
    examined[count++] = *index;
    const uint32_t victims = frequency_.estimate(entries_[*index].fingerprint);
    sum = frequency == Frequency::kMost ? victims : sum + victims;
    ahead = frequency > sum;
    left -= entries_[*index].weight;
    if (ahead && room(left, added)) return true;
  }
  if (ahead) return true;
  for (uint32_t at = 0; at < count; ++at) {
    entries_[examined[at]].uses.store(0, std::memory_order_relaxed);
    move(examined[at], Place::small);
  }
  return false;
}

Eviction::Walk Eviction::begin() const { return {small_.oldest(), main_.oldest(), small_.weight(), 0}; }

std::optional<uint32_t> Eviction::victim() {
  Walk walk = begin();
  return next_victim(walk);
}

// Passes those that were used enough: from small they go to main, in main round again.
std::optional<uint32_t> Eviction::next_victim(Walk& walk) {
  for (;; ++walk.moves) {
    const bool from_small = walk.small != kNoEntry && (walk.small_weight > small_share() || walk.main == kNoEntry);
    const uint32_t index = from_small ? walk.small : walk.main;
    if (index == kNoEntry) return std::nullopt;
    EvictionEntry& entry = entries_[index];
    (from_small ? walk.small : walk.main) = entry.newer;
    if (from_small) walk.small_weight -= entry.weight;
    const uint8_t uses = entry.uses.load(std::memory_order_relaxed);
    if (walk.moves >= kMostMoves || uses <= (from_small ? 1 : 0)) return index;
    entry.uses.store(from_small ? 0 : uses - 1, std::memory_order_relaxed);
    move(index, Place::main);
    if (walk.main == kNoEntry) walk.main = index;
  }
}

void Eviction::move(uint32_t index, Place to) {
  queue(place_of(index)).unlink(index);
  step("eviction: between queues");
  queue(to).add(index);
  step("eviction: moved");
  entries_[index].place.store(to, std::memory_order_release);
}

void Eviction::evict(uint32_t index) {
  ghosts_.add(entries_[index].fingerprint);
  remove(index);
}

void Eviction::insert(uint32_t index, uint64_t hash, uint64_t added, Place place) {
  ghosts_.take(fingerprint_of(hash), remembered());
  state_.journal.note({.kind = QueueChange::Kind::apart, .place = place, .index = index});
  entries_[index].describe(hash, added, place);
  step("eviction: described");
  queue(place).add(index);
  frequency_.set_window(kWindow * remembered());
}

void Eviction::remove(uint32_t index) {
  const Place place = place_of(index);
  if (place == Place::none) return;
  queue(place).unlink(index);
  step("eviction: unlinked");
  entries_[index].forget();
}

void Eviction::weight_changed(uint32_t index, uint64_t changed) {
  const Place place = place_of(index);
  if (place != Place::none) queue(place).reweigh(index, changed);
}

// The entry that was being changed is where its place says afterwards, or its place says where it is.
bool Eviction::recover() {
  using Kind = QueueChange::Kind;
  const QueueChange last = state_.journal.last();
  if (last.kind == Kind::none) return true;
  const auto is_row = [this](uint32_t index) { return index < entries_.count(); };
  const bool is_sane = is_row(last.index) && (last.place == Place::small || last.place == Place::main) &&
                       (last.kind != Kind::add || last.newest == kNoEntry || is_row(last.newest));
  if (!is_sane) return false;
  if (last.kind != Kind::apart) queue(last.place).make(last);
  const Place place = place_of(last.index);
  if (last.kind == Kind::add) {
    entries_[last.index].place.store(last.place, std::memory_order_release);
  } else if (last.kind != Kind::reweigh && place != Place::none) {
    queue(place).add(last.index);
  }
  return true;
}

void Eviction::rebuild() {
  state_.journal.note({.kind = QueueChange::Kind::add, .index = kNoEntry});   // nothing to recover by, until the end
  for (uint32_t index = 0; index < entries_.count(); ++index) {
    EvictionEntry& entry = entries_[index];
    entry.mark = 0;
    if (place_of(index) != Place::small && place_of(index) != Place::main) entry.forget();
    const uint8_t uses = entry.uses.load(std::memory_order_relaxed);
    if (uses > EvictionEntry::kMostUses) entry.uses.store(EvictionEntry::kMostUses, std::memory_order_relaxed);
  }
  small_.rebuild();
  main_.rebuild();
  state_.journal.note({});
  frequency_.set_window(kWindow * remembered());
}

}   // namespace proxyd::cache
