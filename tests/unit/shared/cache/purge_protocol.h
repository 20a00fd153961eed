#pragma once

#include <array>
#include <cstdint>

// The protocol of purges, fills, followers, heirs and answers that freshen, as a model whose every state can be
// written down: an actor's step is one load or store that others can see, in the order of the functions it is named
// after. What one shard's lock hides from all others is one step; so is what only its own actor sees.
namespace proxyd::cache::model {

// A rule left out, to show that an exploration would find it.
enum class Broken : uint8_t {
  nothing,
  publishes_before_stamps,
  answers_before_publishing,
  has_no_purge_lock,
  leaves_dead_purge_unpublished,
  notes_no_sequence_before_stamps,
  fill_takes_late_sequence,
  fill_counts_as_checked,
  reader_notes_late_sequence,
  follower_trusts,
  heir_takes_late_sequence,
  freshening_takes_late_sequence,
  hard_counts_as_soft,
  soft_counts_as_nothing,
  hard_purged_is_validated,
  empties_before_widening,
  looks_at_stamps_before_bans
};

// A visitor is the master, which looks whether a purger has died. A displacer bans something else, and another ban
// gives way to its host's stamp for it.
enum class Role : uint8_t { none, hard_purger, soft_purger, dropping_purger, displacer, visitor, reader, validator };

inline constexpr int kActors = 4;
inline constexpr int kRows = 2 * kActors + 1;   // and heads: more than can be in hands at once
inline constexpr int kWords = 2;                // stamps that a purge writes, in this order
inline constexpr uint8_t kBanWord = 0;          // where there is a displacer: the first is no stamp but a ban's word
inline constexpr uint8_t kHostWord = 1;
inline constexpr uint8_t kNoRow = 0xff;

enum class At : uint8_t {
  begin,
  // PurgeStamps::lock, purge; Cache::drop
  lock,
  repair,
  repaired,
  take_sequence,
  stamp,
  begin_displacing,
  widen,
  empty,
  publish,
  release,
  drop,
  drop_index,
  answer,
  // Cache::find and pin, StoredResponse::purged
  find,
  life,
  head,
  checked,
  hard,
  soft,
  note,
  // CacheVisit::wait, Cache::take_over
  wait,
  // Cache::begin_fill, replaceable, make; Shards::link; Filler::set_head, complete
  fill,
  fill_hard,
  fill_soft,
  old_dies,
  link,
  ask,
  set_head,
  complete,
  // Cache::begin_revalidation, freshen
  claim,
  validate,
  freshen_check,
  freshen
};

enum class RowState : uint8_t { opening, filling, complete };

// Times are counts of the purges that had begun: content is younger than a purge when `born` is not below the purge's.
struct Head {
  uint8_t sequence, checked;
  uint8_t born;    // when the origin produced the content
  uint8_t valid;   // when it last said that it is so
};
struct Row {
  RowState state;
  uint8_t dead;
  uint8_t filler;   // actor + 1
  uint8_t head;
};
struct Stamp {
  uint8_t hard, soft;
};
struct Actor {
  Role role;
  At at;
  uint8_t words;   // that a purge writes, as bits
  uint8_t done, crashed;
  uint8_t sequence;
  uint8_t hard_floor,
      soft_floor;   // of a request: purges that were answered before it began; of a purge: when it began
  uint8_t row, head, word, looks, purged_softly;
  uint8_t answered;   // when the origin did
  uint8_t instead;    // the answer replaces what was found
};

// Octets only, so that states can be compared as memory.
struct World {
  uint8_t clock, hard_floor, soft_floor;
  uint8_t published, purging, purge_holder, purge_owner_died;
  uint8_t shard_holder;
  uint8_t current;   // row that the index names
  uint8_t crashes_left;
  std::array<Stamp, kWords> stamps;
  std::array<Head, kRows> head;
  std::array<Row, kRows> row;
  std::array<Actor, kActors> actor;
};

// Rows and heads that the index names or an actor has in hand; the others are free, as what nobody pins.
struct Places {
  explicit Places(const World& world);
  static uint8_t free_one(const std::array<bool, kRows>& taken);
  std::array<bool, kRows> rows{};
  std::array<bool, kRows> heads{};
};

struct Scene {
  std::array<Role, kActors> roles;
  uint8_t crashes = 0;   // processes that may die
  bool stored = true;    // something is, since before the last purge, which did not concern it
  uint8_t carries = 2;   // the words that the object carries, as bits
  std::array<uint8_t, kActors> purges = {3, 3, 3, 3};   // the words that each purger writes
};

// The first thing that went wrong.
enum class Fault : uint8_t { none, outrun_hard, outrun_soft, stamp_without_sequence, stuck };

class Protocol {
 public:
  Protocol(const Scene& scene, Broken broken) : scene_(scene), broken_(broken) {}

  World first() const;
  // One step of one actor; `choice` is the world's, where it has one. False: it waits, or there is no such choice.
  bool step(World& world, int who, int choice);
  // Its process is killed here, which ends nothing but what it holds. False: it holds nothing, or none may die.
  bool crash(World& world, int who) const;
  // What must hold between all steps.
  Fault fault_of(const World& world) const;
  // Forgets what nobody looks at any more, and which of two actors of one role is which.
  static void simplify(World& world);
  Fault served_wrongly() const { return served_wrongly_; }

 private:
  bool purge(World& world, int who);
  bool end_purge(World& world, int who);
  bool look(World& world, int who);
  bool check(World& world, int who);
  bool fill(World& world, int who);
  bool replaceable(World& world, int who);
  bool write(World& world, int who);
  bool wait(World& world, int who);
  bool validate(World& world, int who, int choice);
  bool freshen(World& world, int who);

  bool displace(World& world, Actor& actor) const;
  uint8_t first_look() const;
  bool next_look(Actor& actor) const;
  bool next_word(Actor& actor, uint8_t words) const;
  bool alive(const World& world, uint8_t holder) const { return holder != 0 && world.actor[holder - 1].crashed == 0; }
  bool judge(World& world, int who, bool soft);
  bool serve(World& world, int who, bool as_fresh);
  bool look_again(Actor& actor) const;
  static bool end(Actor& actor);
  static void forget_lost(World& world);
  static void exchange(World& world, int one, int other);

  Scene scene_;
  Broken broken_;
  Fault served_wrongly_ = Fault::none;
};

}   // namespace proxyd::cache::model
