#include <algorithm>
#include <cstring>
#include <utility>

#include "tests/unit/shared/cache/purge_protocol.h"

// How a world begins, ends and is told from others.
namespace proxyd::cache::model {
namespace {

bool is_request(const Actor& actor) { return actor.role == Role::reader || actor.role == Role::validator; }

// Whether an actor will look at the row, or at the head, that it noted last.
bool needs_row(const Actor& actor) {
  const bool searches = actor.at <= At::find || (actor.at >= At::fill && actor.at <= At::link);
  return is_request(actor) && actor.done == 0 && (!searches || actor.instead != 0);
}
bool needs_head(const Actor& actor) {
  const bool has_it = (actor.at >= At::checked && actor.at < At::wait) || actor.at >= At::claim;
  return needs_row(actor) && (has_it || actor.instead != 0);
}

}   // namespace

Places::Places(const World& world) {
  if (world.current != kNoRow) rows[world.current] = true;
  for (const Actor& actor : world.actor) {
    if (needs_row(actor)) rows[actor.row] = true;
    if (needs_head(actor)) heads[actor.head] = true;
  }
  for (int i = 0; i < kRows; ++i) {
    if (rows[i]) heads[world.row[i].head] = true;
  }
}

uint8_t Places::free_one(const std::array<bool, kRows>& taken) {
  return static_cast<uint8_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
}

World Protocol::first() const {
  World world;
  std::memset(&world, 0, sizeof world);
  world.crashes_left = scene_.crashes;
  world.published = world.purging = 1;
  world.current = kNoRow;
  for (int i = 0; i < kActors; ++i) {
    world.actor[i].role = scene_.roles[i];
    world.actor[i].words = scene_.purges[i];
    world.actor[i].done = scene_.roles[i] == Role::none;
  }
  if (!scene_.stored) return world;
  world.current = 0;
  world.row[0].state = RowState::complete;
  return world;
}

bool Protocol::end(Actor& actor) {
  const Actor before = actor;
  std::memset(&actor, 0, sizeof actor);   // so that ways of coming here count as one
  actor.role = before.role;
  actor.words = before.words;
  actor.done = 1;
  return true;
}

bool Protocol::crash(World& world, int who) const {
  Actor& actor = world.actor[who];
  const auto holder = static_cast<uint8_t>(who + 1);
  if (world.crashes_left == 0 || actor.done != 0 || world.shard_holder == holder) return false;
  bool holds = world.purge_holder == holder;
  for (int i = 0; i < kRows; ++i) holds = holds || world.row[i].filler == holder;
  if (!holds) return false;
  --world.crashes_left;
  if (world.purge_holder == holder) {
    world.purge_holder = 0;
    world.purge_owner_died = 1;
  }
  end(actor);
  actor.crashed = 1;
  return true;
}

// A stamp that is newer than all that requests may load would purge whatever is stored, again and again.
Fault Protocol::fault_of(const World& world) const {
  const bool quiet = world.purge_holder == 0 && world.purge_owner_died == 0 && broken_ != Broken::has_no_purge_lock;
  for (const Stamp& stamp : world.stamps) {
    if (quiet && std::max(stamp.hard, stamp.soft) > world.published) return Fault::stamp_without_sequence;
  }
  return Fault::none;
}

void Protocol::forget_lost(World& world) {
  for (Actor& actor : world.actor) {
    if (!is_request(actor)) continue;
    if (!needs_row(actor)) actor.row = 0;
    if (!needs_head(actor)) actor.head = 0;
    const bool compares = (actor.at >= At::hard && actor.at <= At::soft) ||
                          (actor.at >= At::fill_hard && actor.at <= At::fill_soft) || actor.at == At::freshen_check;
    if (!compares) actor.word = actor.purged_softly = 0;
  }
  const Places needed(world);
  for (int i = 0; i < kRows; ++i) {
    if (!needed.rows[i]) world.row[i] = Row{};
    if (!needed.heads[i]) world.head[i] = Head{};
  }
}

void Protocol::exchange(World& world, int one, int other) {
  std::swap(world.actor[one], world.actor[other]);
  const auto rename = [&](uint8_t& holder) {
    if (holder == one + 1) {
      holder = static_cast<uint8_t>(other + 1);
    } else if (holder == other + 1) {
      holder = static_cast<uint8_t>(one + 1);
    }
  };
  rename(world.purge_holder);
  rename(world.shard_holder);
  for (Row& row : world.row) rename(row.filler);
}

void Protocol::simplify(World& world) {
  forget_lost(world);
  for (int i = 0; i < kActors; ++i) {
    for (int j = i + 1; j < kActors; ++j) {
      const Actor& a = world.actor[i];
      const Actor& b = world.actor[j];
      if (a.role == b.role && std::memcmp(&a, &b, sizeof a) > 0) exchange(world, i, j);
    }
  }
}

}   // namespace proxyd::cache::model
