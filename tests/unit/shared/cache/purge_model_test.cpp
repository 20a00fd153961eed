#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_set>
#include <vector>

// The protocol of purges, fills, followers and freshening as a small model, every interleaving of which is explored:
// whoever asks after a purge was answered is never served what the origin had before it. The steps are those of
// purge.cpp, Cache::find, begin_fill, Filler::set_head and Cache::freshen, each that others can see by itself.
namespace proxyd::cache {
namespace {

// A rule left out, to show that the exploration would find it.
enum class Broken {
  nothing,
  fill_takes_late_sequence,
  publish_before_stamp,
  follower_trusts,
  freshen_takes_late_sequence
};

constexpr int kObjects = 4;
constexpr int kActors = 4;

struct Object {
  uint8_t version, birth, checked, has_head, head;   // head: which, counting freshenings
};

struct Actor {
  uint8_t role, at, floor, sequence, object, version, head, done;
};

struct World {
  uint8_t origin, floor, published, purging, stamp, locked, current, objects;
  std::array<Object, kObjects> object;
  std::array<Actor, kActors> actor;
};

enum Role : uint8_t { purger, reader, freshener };

class Exploration {
 public:
  explicit Exploration(Broken broken) : broken_(broken) {}

  // How many states there are; `violations` of them served too old a version.
  size_t explore(const std::vector<Role>& roles) {
    World world;
    std::memset(&world, 0, sizeof world);
    world.objects = 1;   // stored at version 0
    world.object[0].has_head = 1;
    for (size_t i = 0; i < roles.size(); ++i) world.actor[i].role = roles[i];
    for (size_t i = roles.size(); i < kActors; ++i) world.actor[i].done = 1;
    std::vector<World> open{world};
    while (!open.empty()) {
      const World from = open.back();
      open.pop_back();
      if (!seen_.insert(std::string(reinterpret_cast<const char*>(&from), sizeof from)).second) continue;
      for (int i = 0; i < kActors; ++i) {
        World next = from;
        if (next.actor[i].done == 0 && step(next, next.actor[i])) open.push_back(next);
      }
    }
    return seen_.size();
  }
  size_t violations = 0;

 private:
  // False: it waits.
  bool step(World& world, Actor& actor) {
    switch (actor.role) {
      case purger: return purge(world, actor);
      case reader: return read(world, actor);
      default: return freshen(world, actor);
    }
  }

  bool purge(World& world, Actor& actor) {
    const bool early = broken_ == Broken::publish_before_stamp;
    switch (actor.at++) {
      case 0: actor.version = ++world.origin; return true;
      case 1:
        if (world.locked != 0) return --actor.at, false;
        world.locked = 1;
        world.purging = world.published + 1;
        return true;
      case 2: (early ? world.published : world.stamp) = world.purging; return true;
      case 3: (early ? world.stamp : world.published) = world.purging; return true;
      case 4: world.locked = 0; return true;
      default:
        world.floor = std::max(world.floor, actor.version);
        actor.done = 1;
        return true;
    }
  }

  bool purged(World& world, Object& object, uint8_t sequence) {
    if (object.checked >= sequence) return false;
    if (world.stamp > object.birth) return true;
    object.checked = sequence;
    return false;
  }

  void serve(Actor& actor, uint8_t version) {
    violations += version < actor.floor;
    actor.done = 1;
  }

  bool read(World& world, Actor& actor) {
    Object& object = world.object[actor.object];
    switch (actor.at) {
      case 0:
        actor.floor = world.floor;
        actor.at = 1;
        return true;
      case 1:
        actor.sequence = world.published;
        actor.at = 2;
        return true;
      case 2:   // find
        actor.object = world.current;
        if (world.object[world.current].has_head == 0) {
          actor.at = 3;
        } else if (purged(world, world.object[world.current], actor.sequence)) {
          actor.at = 4;
        } else {
          serve(actor, world.object[world.current].version);
        }
        return true;
      case 3:   // follow
        if (object.has_head == 0) return false;
        if (broken_ != Broken::follower_trusts && purged(world, object, actor.sequence)) {
          actor.at = 4;
        } else {
          serve(actor, object.version);
        }
        return true;
      case 4: return begin_fill(world, actor);
      case 5:
        actor.version = world.origin;
        actor.at = 6;
        return true;
      case 6:
        object = Object{actor.version, object.birth, object.birth, 1, 0};
        if (broken_ == Broken::fill_takes_late_sequence) object.birth = object.checked = world.published;
        serve(actor, actor.version);
        return true;
      default: return false;
    }
  }

  // Under the shard's lock: one step.
  bool begin_fill(World& world, Actor& actor) {
    Object& old = world.object[world.current];
    const bool replaced = old.has_head != 0 && old.birth < actor.sequence && world.stamp > old.birth;
    if (!replaced) {
      actor.at = old.has_head == 0 ? 3 : 2;
      actor.object = world.current;
      return true;
    }
    if (world.objects == kObjects) return actor.done = 1, true;
    world.current = actor.object = world.objects++;
    world.object[world.current] = Object{0, actor.sequence, actor.sequence, 0, 0};
    actor.at = 5;
    return true;
  }

  bool freshen(World& world, Actor& actor) {
    Object& object = world.object[actor.object];
    switch (actor.at++) {
      case 0: actor.floor = world.floor; return true;
      case 1: actor.sequence = world.published; return true;
      case 2:
        actor.object = world.current;
        actor.head = world.object[world.current].head;
        if (world.object[world.current].has_head == 0) actor.done = 1;
        return true;
      case 3:   // the origin's answer: 304 when nothing has changed
        actor.version = world.origin;
        if (actor.version != object.version) actor.done = 1;
        return true;
      case 4:
        if (world.stamp > object.birth) actor.done = 1;
        return true;
      default: {
        if (object.head == actor.head && actor.object == world.current) {
          const uint8_t late = broken_ == Broken::freshen_takes_late_sequence ? world.published : actor.sequence;
          object.birth = object.checked = late;
          ++object.head;
        }
        serve(actor, actor.version);
        return true;
      }
    }
  }

  Broken broken_;
  std::unordered_set<std::string> seen_;
};

size_t violations_of(Broken broken, const std::vector<Role>& roles, size_t* states = nullptr) {
  Exploration exploration(broken);
  const size_t count = exploration.explore(roles);
  if (states != nullptr) *states += count;
  return exploration.violations;
}

TEST(PurgeModel, NoInterleavingOutrunsAPurge) {
  size_t states = 0;
  for (const auto& roles : std::vector<std::vector<Role>>{{purger, reader, reader, reader},
                                                          {purger, purger, reader, reader},
                                                          {purger, reader, freshener, reader},
                                                          {purger, freshener, freshener, reader},
                                                          {purger, purger, freshener, reader}}) {
    EXPECT_EQ(violations_of(Broken::nothing, roles, &states), 0u);
  }
  EXPECT_GT(states, 10'000u);
}

TEST(PurgeModel, FindsEachRuleThatIsLeftOut) {
  EXPECT_GT(violations_of(Broken::fill_takes_late_sequence, {purger, purger, reader, reader}), 0u);
  EXPECT_GT(violations_of(Broken::publish_before_stamp, {purger, reader, reader}), 0u);
  EXPECT_GT(violations_of(Broken::follower_trusts, {purger, purger, reader, reader}), 0u);
  EXPECT_GT(violations_of(Broken::freshen_takes_late_sequence, {purger, freshener, reader}), 0u);
}

}   // namespace
}   // namespace proxyd::cache
