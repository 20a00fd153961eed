#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tests/unit/shared/cache/purge_protocol.h"

// Every interleaving of the protocol in purge_protocol.h, and every death in it: whoever asks after a purge was
// answered is never given what the origin produced before that purge began; after a soft one, not as fresh. Each rule
// left out is found.
namespace proxyd::cache::model {
namespace {

static_assert(std::has_unique_object_representations_v<World>);

// All states that can be reached, each once, and how: depth first.
class Exploration {
 public:
  Exploration(const Scene& scene, Broken broken) : protocol_(scene, broken), table_(1 << 10, kEmpty) {}

  // To the first fault, or to the end.
  Fault explore() {
    reach(protocol_.first(), Step{});
    while (!open_.empty() && fault_ == Fault::none) {
      const uint32_t from = open_.back();
      open_.pop_back();
      expand(from);
    }
    return fault_;
  }

  size_t states() const { return states_.size(); }
  // The steps that led to the fault, a line each: whose, and from where.
  std::string story() const {
    std::string text;
    for (size_t at = faulty_; at != 0; at = steps_[at].from) {
      const Step& step = steps_[at];
      const Actor& actor = states_[step.from].actor[step.who];
      text.insert(0, "  role " + std::to_string(static_cast<int>(actor.role)) + (step.crash ? " dies" : " steps") +
                         " at " + std::to_string(static_cast<int>(actor.at)) + "\n");
    }
    return text;
  }

 private:
  struct Step {
    uint32_t from = 0;
    uint8_t who = 0;
    bool crash = false;
  };
  static constexpr uint32_t kEmpty = 0xffffffff;

  // Where the state is in the table, or would be.
  uint32_t& place_of(const World& world) {
    const std::string_view text(reinterpret_cast<const char*>(&world), sizeof world);
    for (size_t at = std::hash<std::string_view>()(text);; ++at) {
      uint32_t& place = table_[at % table_.size()];
      if (place == kEmpty || std::memcmp(&states_[place], &world, sizeof world) == 0) return place;
    }
  }

  void grow() {
    table_.assign(table_.size() * 4, kEmpty);
    for (uint32_t i = 0; i < states_.size(); ++i) place_of(states_[i]) = i;
  }

  void expand(uint32_t from) {
    bool stuck = true;
    bool waiting = false;
    for (uint8_t who = 0; who < kActors; ++who) {
      if (states_[from].actor[who].done != 0) continue;
      waiting = true;
      for (int choice = 0; choice < 2; ++choice) {
        World next = states_[from];
        if (!protocol_.step(next, who, choice)) continue;
        stuck = false;
        reach(next, Step{from, who, false}, protocol_.served_wrongly());
      }
      World next = states_[from];
      if (protocol_.crash(next, who)) reach(next, Step{from, who, true});
    }
    if (waiting && stuck) note(Fault::stuck, from);
  }

  void reach(World world, const Step& step, Fault fault = Fault::none) {
    if (fault == Fault::none) fault = protocol_.fault_of(world);
    protocol_.simplify(world);
    uint32_t& place = place_of(world);
    const auto index = static_cast<uint32_t>(states_.size());
    if (fault == Fault::none && place != kEmpty) return;
    states_.push_back(world);
    steps_.push_back(step);
    if (fault != Fault::none) return note(fault, index);
    place = index;
    open_.push_back(index);
    if (states_.size() * 2 > table_.size()) grow();
  }

  void note(Fault fault, uint32_t index) {
    if (fault_ == Fault::none) faulty_ = index;
    if (fault_ == Fault::none) fault_ = fault;
  }

  Protocol protocol_;
  std::vector<World> states_;
  std::vector<Step> steps_;
  std::vector<uint32_t> open_;
  std::vector<uint32_t> table_;   // indices of states
  Fault fault_ = Fault::none;
  uint32_t faulty_ = 0;
};

constexpr Role kNone = Role::none, kHard = Role::hard_purger, kSoft = Role::soft_purger, kDrop = Role::dropping_purger,
               kDisplacer = Role::displacer, kVisitor = Role::visitor, kReader = Role::reader,
               kValidator = Role::validator;

struct Named {
  const char* name;
  Scene scene;
};

const Named kScenes[] = {
    {"two purgers, one of which may die, and two readers", {.roles = {kHard, kHard, kReader, kReader}, .crashes = 1}},
    {"two purgers of two subjects, and two readers", {.roles = {kHard, kHard, kReader, kReader}, .purges = {1, 2}}},
    {"a soft and a hard purger, and two readers", {.roles = {kSoft, kHard, kReader, kReader}, .crashes = 1}},
    {"a purge racing a 304", {.roles = {kHard, kValidator, kReader, kReader}}},
    {"a soft purge racing a 304", {.roles = {kSoft, kValidator, kReader, kReader}}},
    {"purges racing two validations", {.roles = {kSoft, kValidator, kValidator, kReader}}},
    {"two purgers and a 304", {.roles = {kSoft, kHard, kValidator, kReader}}},
    {"followers that join an older fill, whose filler may die",
     {.roles = {kHard, kReader, kReader, kReader}, .crashes = 1, .stored = false}},
    {"followers that join an older fill, and a soft purge",
     {.roles = {kSoft, kReader, kReader, kReader}, .crashes = 1, .stored = false}},
    {"a purge that drops its key at once", {.roles = {kDrop, kReader, kReader, kReader}}},
    {"a purge that drops its key, and a 304", {.roles = {kDrop, kValidator, kReader, kNone}}},
    {"a purger that may die, and who looks after it", {.roles = {kHard, kVisitor, kReader, kReader}, .crashes = 2}},
    {"a ban that gives way, whose purger or other may die",
     {.roles = {kHard, kDisplacer, kReader, kReader}, .crashes = 1, .carries = 3, .purges = {1, 0}}},
    {"a soft ban that gives way",
     {.roles = {kSoft, kDisplacer, kReader, kReader}, .crashes = 1, .carries = 3, .purges = {1, 0}}},
    {"a ban that gives way, and a 304",
     {.roles = {kHard, kDisplacer, kValidator, kReader}, .carries = 3, .purges = {1, 0}}},
    {"a ban that gives way, and followers of an older fill",
     {.roles = {kHard, kDisplacer, kReader, kReader}, .crashes = 1, .stored = false, .carries = 3, .purges = {1, 0}}},
    {"three purgers and two deaths", {.roles = {kHard, kSoft, kHard, kReader}, .crashes = 2, .carries = 3}},
};

TEST(PurgeModel, NoInterleavingAndNoDeathOutrunsAPurge) {
  size_t states = 0;
  for (const Named& one : kScenes) {
    Exploration exploration(one.scene, Broken::nothing);
    EXPECT_EQ(exploration.explore(), Fault::none) << one.name << ":\n" << exploration.story();
    std::printf("%8zu states: %s\n", exploration.states(), one.name);
    states += exploration.states();
  }
  std::printf("%8zu states in all\n", states);
  EXPECT_GT(states, 100'000u);
}

struct Mutation {
  const char* name;
  Broken broken;
  Fault fault;
  Scene scene;
};

const Mutation kMutations[] = {
    {"published before the stamps are written",
     Broken::publishes_before_stamps,
     Fault::outrun_hard,
     {.roles = {kHard, kReader, kReader, kNone}}},
    {"answered before it is published",
     Broken::answers_before_publishing,
     Fault::outrun_hard,
     {.roles = {kHard, kReader, kReader, kNone}}},
    {"purges that are not serialised",
     Broken::has_no_purge_lock,
     Fault::outrun_hard,
     {.roles = {kHard, kHard, kReader, kReader}, .purges = {1, 2}}},
    {"what a dead purger wrote is never published",
     Broken::leaves_dead_purge_unpublished,
     Fault::stamp_without_sequence,
     {.roles = {kHard, kVisitor, kNone, kNone}, .crashes = 1}},
    {"the sequence is not noted before the stamps",
     Broken::notes_no_sequence_before_stamps,
     Fault::stamp_without_sequence,
     {.roles = {kHard, kVisitor, kNone, kNone}, .crashes = 1}},
    {"a fill takes the sequence of its answer",
     Broken::fill_takes_late_sequence,
     Fault::outrun_hard,
     {.roles = {kHard, kReader, kReader, kNone}, .stored = false}},
    {"a fill counts as checked when it has its head",
     Broken::fill_counts_as_checked,
     Fault::outrun_hard,
     {.roles = {kHard, kReader, kReader, kNone}, .stored = false}},
    {"a reader notes a sequence that it loads after its look",
     Broken::reader_notes_late_sequence,
     Fault::outrun_hard,
     {.roles = {kHard, kReader, kReader, kNone}}},
    {"a follower does not look at the stamps",
     Broken::follower_trusts,
     Fault::outrun_hard,
     {.roles = {kHard, kReader, kReader, kNone}, .stored = false}},
    {"an heir goes on with a newer sequence",
     Broken::heir_takes_late_sequence,
     Fault::outrun_hard,
     {.roles = {kHard, kReader, kReader, kReader}, .crashes = 1, .stored = false}},
    {"a 304 takes the sequence of its answer",
     Broken::freshening_takes_late_sequence,
     Fault::outrun_hard,
     {.roles = {kHard, kValidator, kReader, kNone}}},
    {"a 304 takes the sequence of its answer, of a soft purge",
     Broken::freshening_takes_late_sequence,
     Fault::outrun_soft,
     {.roles = {kSoft, kValidator, kReader, kNone}}},
    {"what is hard-purged is served stale",
     Broken::hard_counts_as_soft,
     Fault::outrun_hard,
     {.roles = {kHard, kReader, kNone, kNone}}},
    {"what is softly purged is served as fresh",
     Broken::soft_counts_as_nothing,
     Fault::outrun_soft,
     {.roles = {kSoft, kReader, kNone, kNone}}},
    {"what is hard-purged is used for a conditional request",
     Broken::hard_purged_is_validated,
     Fault::outrun_hard,
     {.roles = {kHard, kValidator, kReader, kNone}}},
    {"a ban is emptied before its host is purged",
     Broken::empties_before_widening,
     Fault::outrun_hard,
     {.roles = {kHard, kDisplacer, kReader, kNone}, .carries = 3, .purges = {1, 0}}},
    {"stamps are looked at before bans",
     Broken::looks_at_stamps_before_bans,
     Fault::outrun_hard,
     {.roles = {kHard, kDisplacer, kReader, kNone}, .carries = 3, .purges = {1, 0}}},
};

TEST(PurgeModel, FindsEachRuleThatIsLeftOut) {
  for (const Mutation& one : kMutations) {
    Exploration exploration(one.scene, one.broken);
    EXPECT_EQ(exploration.explore(), one.fault) << one.name << ":\n" << exploration.story();
    EXPECT_EQ(Exploration(one.scene, Broken::nothing).explore(), Fault::none) << one.name;
  }
}

}   // namespace
}   // namespace proxyd::cache::model
