#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "shard.h"

namespace proxyd::cache {
namespace {

struct Object {
  uint32_t row;
  uint64_t hash;
  uint64_t weight;
};

// The rules again, over containers that are copied where the policy only looks ahead. Ghosts and counts are the
// policy's classes: they have tests of their own.
struct Model {
  Model(uint64_t octets, uint32_t rows) : capacity(octets), rows_of_shard(rows), remembered(rows), counters(rows) {}

  uint64_t weight_of(const std::deque<Object>& queue) const {
    uint64_t sum = 0;
    for (const Object& object : queue) sum += object.weight;
    return sum;
  }
  uint64_t weight() const { return weight_of(small) + weight_of(main); }
  uint32_t objects() const { return static_cast<uint32_t>(small.size() + main.size()); }
  uint32_t remembers() const { return std::max(objects(), rows_of_shard / 16); }
  bool room(uint64_t used, uint64_t added) const { return used + added <= capacity; }

  // Takes the next to leave out of its queue, and says which queue that was.
  std::pair<Object, Place> take_victim(int* moves) {
    for (;; ++*moves) {
      const bool from_small = !small.empty() && (weight_of(small) > capacity / 10 || main.empty());
      auto& queue = from_small ? small : main;
      const Object object = queue.front();
      queue.pop_front();
      if (*moves >= 64 || uses[object.row] <= (from_small ? 1 : 0))
        return {object, from_small ? Place::small : Place::main};
      uses[object.row] = from_small ? 0 : uses[object.row] - 1;
      main.push_back(object);
    }
  }

  uint32_t victim() {
    int moves = 0;
    const auto [object, place] = take_victim(&moves);
    (place == Place::small ? small : main).push_front(object);
    return object.row;
  }

  Admission admit(uint64_t hash, uint64_t added, bool row_free) {
    if (added > capacity) return {Verdict::exceeds_capacity, Place::none};
    const uint32_t frequency = counters.frequency.estimate(fingerprint_of(hash));
    const bool there_is_room = row_free && room(weight(), added);
    if (!there_is_room && added > capacity / 10 && frequency < 2) return {Verdict::first_request, Place::none};
    if (!there_is_room) {
      int moves = 0;
      std::vector<std::pair<Object, Place>> looked_at;
      bool wins = true;
      uint32_t sum = 0;
      while (wins && looked_at.size() < 32 && objects() > 0) {
        looked_at.push_back(take_victim(&moves));
        const uint32_t one = counters.frequency.estimate(fingerprint_of(looked_at.back().first.hash));
        sum = frequency == 15 ? one : sum + one;
        wins = frequency > sum;
        if (room(weight(), added)) break;
      }
      if (wins)
        for (auto at = looked_at.rbegin(); at != looked_at.rend(); ++at)
          (at->second == Place::small ? small : main).push_front(at->first);
      else {
        for (const auto& [object, place] : looked_at) {
          uses[object.row] = 0;
          small.push_back(object);
        }
        remembered.ghosts.add(fingerprint_of(hash));
        return {Verdict::less_popular, Place::none};
      }
    }
    const bool to_main = added > capacity / 10 || remembered.ghosts.contains(fingerprint_of(hash), remembers());
    return {Verdict::enters, to_main ? Place::main : Place::small};
  }

  void remove(uint32_t row) {
    for (auto* queue : {&small, &main}) std::erase_if(*queue, [&](const Object& object) { return object.row == row; });
  }
  void evict(uint32_t row, uint64_t hash) {
    remembered.ghosts.add(fingerprint_of(hash));
    remove(row);
  }
  void insert(const Object& object, Place place) {
    remembered.ghosts.take(fingerprint_of(object.hash), remembers());
    (place == Place::small ? small : main).push_back(object);
    uses[object.row] = 0;
    counters.frequency.set_window(10ULL * remembers());
  }
  void weigh(uint32_t row, uint64_t weight) {
    for (auto* queue : {&small, &main})
      for (Object& object : *queue)
        if (object.row == row) object.weight = weight;
  }
  static std::vector<uint32_t> rows_of(const std::deque<Object>& queue) {
    std::vector<uint32_t> rows;
    for (const Object& object : queue) rows.push_back(object.row);
    return rows;
  }

  struct Remembered {
    explicit Remembered(uint32_t rows) : words(Ghosts::words(rows)) {}
    uint32_t clock = 0;
    std::vector<uint64_t> words;
    Ghosts ghosts{clock, words};
  };
  struct Counters {
    explicit Counters(uint32_t rows) : words(Frequency::words(rows)) { frequency.set_window(10 * (rows / 16)); }
    FrequencyState state{};
    std::vector<std::atomic<uint64_t>> words;
    Frequency frequency{state, words};
  };
  uint64_t capacity;
  uint32_t rows_of_shard;
  std::deque<Object> small;   // oldest first
  std::deque<Object> main;
  std::map<uint32_t, int> uses;
  Remembered remembered;
  Counters counters;
};

// Both told the same, step by step; each answer and, after each step, both queues must agree.
struct Pair {
  static constexpr uint32_t kRows = 64;
  explicit Pair(uint64_t seed) : random(seed) {
    for (uint32_t row = 0; row < kRows; ++row) free.push_back(row);
  }

  void leave(bool kept) {
    const auto victim = shard.eviction.victim();
    ASSERT_TRUE(victim);
    ASSERT_EQ(*victim, model.victim());
    kept ? shard.eviction.evict(*victim) : shard.eviction.remove(*victim);
    kept ? model.evict(*victim, hash_of.at(*victim)) : model.remove(*victim);
    gone(*victim);
  }
  void gone(uint32_t row) {
    row_of.erase(hash_of.at(row));
    hash_of.erase(row);
    free.push_back(row);
  }
  void shrink(uint64_t added, bool row_needed) {
    while (!shard.eviction.fits(added) || (row_needed && free.empty()))
      ASSERT_NO_FATAL_FAILURE(leave(random() % 8 != 0));
  }
  uint64_t some_weight() { return random() % 50 == 0 ? random() % 2000 : 1 + random() % 60; }
  uint32_t some_row() {
    auto at = hash_of.begin();
    std::advance(at, random() % hash_of.size());
    return at->first;
  }

  void request(uint64_t hash) {
    shard.eviction.note_request(hash);
    model.counters.frequency.note(fingerprint_of(hash));
    if (const auto found = row_of.find(hash); found != row_of.end()) {
      shard.eviction.hit(found->second);
      model.uses[found->second] = std::min(3, model.uses[found->second] + 1);
      return;
    }
    const uint64_t weight = some_weight();
    const Admission admission = shard.eviction.admit(hash, weight, !free.empty());
    const Admission expected = model.admit(hash, weight, !free.empty());
    ASSERT_EQ(admission.verdict, expected.verdict);
    ASSERT_EQ(admission.place, expected.place);
    ++verdicts[admission.verdict];
    if (admission.verdict != Verdict::enters) return;
    ASSERT_NO_FATAL_FAILURE(shrink(weight, true));
    const uint32_t row = free.back();
    free.pop_back();
    shard.eviction.insert(row, hash, weight, admission.place);
    model.insert({row, hash, weight}, admission.place);
    hash_of[row] = hash;
    row_of[hash] = row;
  }

  void step() {
    const uint64_t dice = random() % 1000;
    if (dice < 940 || hash_of.empty()) return request((random() % 200) * (random() % 200) / 100);
    const uint32_t row = some_row();
    if (dice < 960) {
      shard.eviction.remove(row);
      model.remove(row);
      gone(row);
    } else if (dice < 995) {
      const uint64_t weight = random() % 100;
      shard.eviction.weight_changed(row, weight);
      model.weigh(row, weight);
      shrink(0, false);
    } else {
      model.capacity = 500 + random() % 1500;
      shard.eviction.set_capacity(model.capacity);
      shrink(0, false);
    }
  }

  std::mt19937_64 random;
  Shard shard{1000, kRows};
  Model model{1000, kRows};
  std::vector<uint32_t> free;
  std::map<uint32_t, uint64_t> hash_of;
  std::map<uint64_t, uint32_t> row_of;
  std::map<Verdict, int> verdicts;
};

TEST(EvictionModel, AgreesWithANaiveOneStepByStep) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    Pair pair(seed);
    for (int at = 0; at < 3000; ++at) {
      ASSERT_NO_FATAL_FAILURE(pair.step()) << "seed " << seed << ", step " << at;
      ASSERT_EQ(pair.shard.fault(), "") << "seed " << seed << ", step " << at;
      ASSERT_EQ(pair.shard.in(Place::small), Model::rows_of(pair.model.small)) << "seed " << seed << ", step " << at;
      ASSERT_EQ(pair.shard.in(Place::main), Model::rows_of(pair.model.main)) << "seed " << seed << ", step " << at;
      ASSERT_LE(pair.shard.eviction.weight(), pair.shard.eviction.capacity());
    }
    EXPECT_EQ(pair.verdicts.size(), 4u);   // each verdict was met
  }
}

}   // namespace
}   // namespace proxyd::cache
