#include "tests/unit/shared/cache/purge_protocol.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace proxyd::cache::model {
namespace {

constexpr uint8_t kMostLooks = 2;   // of a request; then it goes to the origin and stores nothing

bool go(Actor& actor, At at) {
  actor.at = at;
  return true;
}

uint8_t first_word(uint8_t words) { return (words & 1) != 0 ? 0 : 1; }

}   // namespace

bool Protocol::step(World& world, int who, int choice) {
  served_wrongly_ = Fault::none;
  const At at = world.actor[who].at;
  if (choice != 0 && at != At::validate) return false;
  const Role role = world.actor[who].role;
  if (role == Role::reader || role == Role::validator) {
    if (at < At::checked) return look(world, who);
    if (at < At::wait) return check(world, who);
    if (at == At::wait) return wait(world, who);
    if (at < At::old_dies) return fill(world, who);
    if (at < At::claim) return write(world, who);
    return validate(world, who, choice);
  }
  return at < At::publish ? purge(world, who) : end_purge(world, who);
}

bool Protocol::next_word(Actor& actor, uint8_t words) const {
  ++actor.word;
  return actor.word < kWords && (words >> actor.word & 1) != 0;
}

uint8_t Protocol::first_look() const {
  return broken_ == Broken::looks_at_stamps_before_bans ? kHostWord : first_word(scene_.carries);
}

bool Protocol::next_look(Actor& actor) const {
  if (broken_ != Broken::looks_at_stamps_before_bans) return next_word(actor, scene_.carries);
  return std::exchange(actor.word, kBanWord) != kBanWord;
}

// Bans::widen and what follows it, of a ban that is written in the place of the one that this is about.
bool Protocol::displace(World& world, Actor& actor) const {
  const bool empties_first = broken_ == Broken::empties_before_widening;
  Stamp& ban = world.stamps[kBanWord];
  if (actor.at == At::begin_displacing) {
    actor.row = ban.hard;
    actor.head = ban.soft;
    return go(actor, empties_first ? At::empty : At::widen);
  }
  if (actor.at == At::empty) {
    ban = Stamp{};
    return go(actor, empties_first ? At::widen : At::publish);
  }
  Stamp& host = world.stamps[kHostWord];
  host = Stamp{std::max(host.hard, actor.row), std::max(host.soft, actor.head)};
  return go(actor, empties_first ? At::publish : At::empty);
}

// PurgeStamps::lock, and purge up to the last stamp.
bool Protocol::purge(World& world, int who) {
  Actor& actor = world.actor[who];
  const bool locks = broken_ != Broken::has_no_purge_lock;
  switch (actor.at) {
    case At::begin:
      if (actor.role != Role::visitor) actor.hard_floor = ++world.clock;
      return go(actor, At::lock);
    case At::lock:
      if (locks && world.purge_holder != 0) return false;
      world.purge_holder = static_cast<uint8_t>(who + 1);
      return go(actor, world.purge_owner_died != 0   ? At::repair
                       : actor.role == Role::visitor ? At::release
                                                     : At::take_sequence);
    case At::repair:
      if (broken_ != Broken::leaves_dead_purge_unpublished) world.published = std::max(world.published, world.purging);
      return go(actor, At::repaired);
    case At::repaired:
      world.purge_owner_died = 0;
      return go(actor, actor.role == Role::visitor ? At::release : At::take_sequence);
    case At::take_sequence:
      actor.sequence = world.published + 1;
      if (broken_ != Broken::notes_no_sequence_before_stamps) world.purging = actor.sequence;
      if (broken_ == Broken::publishes_before_stamps) world.published = actor.sequence;
      actor.word = first_word(actor.words);
      return go(actor, actor.role == Role::displacer ? At::begin_displacing : At::stamp);
    case At::begin_displacing:
    case At::widen:
    case At::empty: return displace(world, actor);
    default: {
      Stamp& stamp = world.stamps[actor.word];
      (actor.role == Role::soft_purger ? stamp.soft : stamp.hard) = actor.sequence;
      const bool answers = broken_ == Broken::answers_before_publishing;
      if (next_word(actor, actor.words)) return true;
      if (answers) world.hard_floor = world.soft_floor = std::max(world.soft_floor, actor.hard_floor);
      return go(actor, At::publish);
    }
  }
}

// The rest of PurgeStamps::purge, Cache::drop where it is of one key, and the answer.
bool Protocol::end_purge(World& world, int who) {
  Actor& actor = world.actor[who];
  switch (actor.at) {
    case At::publish: world.published = actor.sequence; return go(actor, At::release);
    case At::release:
      world.purge_holder = 0;
      if (actor.role == Role::visitor) return end(actor);
      return go(actor, actor.role == Role::dropping_purger ? At::drop : At::answer);
    case At::drop:
      if (world.shard_holder != 0) return false;
      if (world.current == kNoRow) return go(actor, At::answer);
      world.shard_holder = static_cast<uint8_t>(who + 1);
      world.row[world.current].dead = 1;
      return go(actor, At::drop_index);
    case At::drop_index:
      world.current = kNoRow;
      world.shard_holder = 0;
      return go(actor, At::answer);
    default:
      if ((actor.words & scene_.carries) == 0) return end(actor);   // it is of something else
      world.soft_floor = std::max(world.soft_floor, actor.hard_floor);
      if (actor.role != Role::soft_purger) world.hard_floor = std::max(world.hard_floor, actor.hard_floor);
      return end(actor);
  }
}

// PurgeStamps::published once, then Cache::find and pin.
bool Protocol::look(World& world, int who) {
  Actor& actor = world.actor[who];
  switch (actor.at) {
    case At::begin:   // the later it begins before its load, the more it may ask for
      actor.hard_floor = world.hard_floor;
      actor.soft_floor = world.soft_floor;
      actor.sequence = world.published;
      return go(actor, At::find);
    case At::find: actor.row = world.current; return go(actor, actor.row == kNoRow ? At::fill : At::life);
    case At::life: {
      const Row& row = world.row[actor.row];
      return go(actor, row.dead != 0 ? At::fill : row.state == RowState::opening ? At::wait : At::head);
    }
    default: actor.head = world.row[actor.row].head; return go(actor, At::checked);
  }
}

// StoredResponse::purged, PurgeStamps::newest.
bool Protocol::check(World& world, int who) {
  Actor& actor = world.actor[who];
  Head& head = world.head[actor.head];
  const Stamp& stamp = world.stamps[actor.word];
  switch (actor.at) {
    case At::checked:
      if (head.checked >= actor.sequence) return judge(world, who, false);
      actor.word = first_look();
      actor.purged_softly = 0;
      return go(actor, At::hard);
    case At::hard:
      if (stamp.hard <= head.checked) return go(actor, At::soft);
      if (broken_ == Broken::hard_counts_as_soft) return judge(world, who, true);
      if (broken_ == Broken::hard_purged_is_validated && actor.role == Role::validator) return judge(world, who, true);
      return go(actor, At::fill);
    case At::soft:
      if (stamp.soft > head.checked && broken_ != Broken::soft_counts_as_nothing) actor.purged_softly = 1;
      if (next_look(actor)) return go(actor, At::hard);
      return actor.purged_softly != 0 ? judge(world, who, true) : go(actor, At::note);
    default:
      head.checked = broken_ == Broken::reader_notes_late_sequence ? world.published : actor.sequence;
      return judge(world, who, false);
  }
}

// A validator comes to what is too old for it anyway. What is softly purged may be served where stale answers may.
bool Protocol::judge(World& world, int who, bool soft) {
  Actor& actor = world.actor[who];
  return actor.role == Role::validator ? go(actor, At::claim) : serve(world, who, !soft);
}

// Whoever reads what a dead one was filling becomes its heir.
bool Protocol::serve(World& world, int who, bool as_fresh) {
  Actor& actor = world.actor[who];
  Head& head = world.head[actor.head];
  Row& row = world.row[actor.row];
  if (as_fresh && head.valid < actor.soft_floor) served_wrongly_ = Fault::outrun_soft;
  if (head.born < actor.hard_floor) served_wrongly_ = Fault::outrun_hard;
  if (row.state != RowState::filling || alive(world, row.filler)) return end(actor);
  row.filler = static_cast<uint8_t>(who + 1);
  actor.sequence = actor.hard_floor = actor.soft_floor = actor.looks = 0;
  if (broken_ == Broken::heir_takes_late_sequence) head.sequence = head.checked = world.published;
  return go(actor, At::complete);
}

bool Protocol::look_again(Actor& actor) const {
  if (++actor.looks > kMostLooks) return end(actor);
  actor.row = actor.head = actor.word = actor.purged_softly = 0;
  return go(actor, At::find);
}

bool Protocol::wait(World& world, int who) {
  Actor& actor = world.actor[who];
  Row& row = world.row[actor.row];
  if (row.dead == 0 && row.state == RowState::opening) {
    if (alive(world, row.filler)) return false;
    row.filler = static_cast<uint8_t>(who + 1);
    actor.sequence = actor.hard_floor = actor.soft_floor = actor.looks = 0;
    return go(actor, At::ask);
  }
  if (broken_ != Broken::follower_trusts || row.state == RowState::opening) return look_again(actor);
  actor.head = row.head;
  return serve(world, who, true);
}

// Cache::open_fill: under the shard's lock, which keeps rows and heads, but no purger, away.
bool Protocol::fill(World& world, int who) {
  Actor& actor = world.actor[who];
  if (actor.at != At::fill) return replaceable(world, who);
  if (world.shard_holder != 0) return false;
  const uint8_t old = world.current;
  const Row& row = world.row[old == kNoRow ? 0 : old];
  const bool same = actor.instead != 0 && old == actor.row && row.head == actor.head;
  if (old != kNoRow && !same && row.state == RowState::opening) {
    actor.row = old;
    return actor.instead != 0 ? end(actor) : go(actor, At::wait);
  }
  if (old != kNoRow && !same && world.head[row.head].sequence >= actor.sequence)
    return actor.instead != 0 ? end(actor) : look_again(actor);
  world.shard_holder = static_cast<uint8_t>(who + 1);
  actor.word = first_look();
  actor.purged_softly = 0;
  return go(actor, old == kNoRow ? At::link : same ? At::old_dies : At::fill_hard);
}

// Cache::replaceable, PurgeStamps::newest.
bool Protocol::replaceable(World& world, int who) {
  Actor& actor = world.actor[who];
  const Row& old = world.row[world.current];
  const Stamp& stamp = world.stamps[actor.word];
  const uint8_t checked = world.head[old.head].checked;
  if (actor.at == At::fill_hard) return go(actor, stamp.hard > checked ? At::old_dies : At::fill_soft);
  if (stamp.soft > checked) actor.purged_softly = 1;
  if (next_look(actor)) return go(actor, At::fill_hard);
  if (old.state == RowState::filling && actor.purged_softly != 0) return go(actor, At::old_dies);
  world.shard_holder = 0;
  return actor.instead != 0 ? end(actor) : look_again(actor);
}

// Cache::make, Shards::link, Filler::set_head and complete.
bool Protocol::write(World& world, int who) {
  Actor& actor = world.actor[who];
  Row& row = world.row[actor.row == kNoRow ? 0 : actor.row];
  switch (actor.at) {
    case At::old_dies: world.row[world.current].dead = 1; return go(actor, At::link);
    case At::link: {
      if (actor.instead != 0) row.filler = 0;   // the claim
      const Places taken(world);
      const uint8_t head = Places::free_one(taken.heads);
      actor.row = world.current = Places::free_one(taken.rows);
      world.head[head] = Head{actor.sequence, actor.sequence, 0, 0};
      world.row[actor.row] = Row{RowState::opening, 0, static_cast<uint8_t>(who + 1), head};
      world.shard_holder = 0;
      actor.sequence = actor.hard_floor = actor.soft_floor = 0;   // what it gets is younger than itself
      return go(actor, std::exchange(actor.instead, 0) != 0 ? At::set_head : At::ask);
    }
    case At::ask: actor.answered = world.clock; return go(actor, At::set_head);
    case At::set_head: {
      if (world.shard_holder != 0) return false;
      Head& head = world.head[row.head];
      if (broken_ == Broken::fill_takes_late_sequence) head.sequence = world.published;
      head = Head{head.sequence, head.sequence, actor.answered, actor.answered};
      if (broken_ == Broken::fill_counts_as_checked) head.checked = world.published;
      row.state = RowState::filling;
      actor.answered = 0;
      return go(actor, At::complete);
    }
    default:
      row.state = RowState::complete;
      row.filler = 0;
      return end(actor);
  }
}

// Cache::begin_revalidation; the origin says 304 or has something new.
bool Protocol::validate(World& world, int who, int choice) {
  Actor& actor = world.actor[who];
  Row& row = world.row[actor.row];
  switch (actor.at) {
    case At::claim:
      if (row.state != RowState::complete || alive(world, row.filler)) return end(actor);
      row.filler = static_cast<uint8_t>(who + 1);
      return go(actor, At::validate);
    case At::validate:
      actor.answered = world.clock;
      actor.instead = choice == 1;
      actor.word = first_look();
      return go(actor, choice == 1 ? At::fill : At::freshen_check);
    default: return freshen(world, who);
  }
}

// Cache::freshen: first whether it is hard-purged, then under the shard's lock.
bool Protocol::freshen(World& world, int who) {
  Actor& actor = world.actor[who];
  Row& row = world.row[actor.row];
  const Head old = world.head[actor.head];
  if (actor.at == At::freshen_check) {
    const bool purged = world.stamps[actor.word].hard > old.checked;
    if (!purged || broken_ == Broken::hard_purged_is_validated) return next_look(actor) || go(actor, At::freshen);
  } else {
    if (world.shard_holder != 0) return false;
    if (row.dead == 0 && row.head == actor.head) {
      const bool late = broken_ == Broken::freshening_takes_late_sequence;
      const uint8_t sequence = late ? world.published : actor.sequence;
      row.head = Places::free_one(Places(world).heads);
      world.head[row.head] = Head{sequence, sequence, old.born, actor.answered};
    }
  }
  row.filler = 0;
  return serve(world, who, false);
}

}   // namespace proxyd::cache::model
