#pragma once

#include <map>
#include <string>
#include <vector>

#include "master/store/store.h"
#include "shared/base/clock.h"
#include "shared/config/decode.h"
#include "shared/config/membership.h"

namespace proxyd::master {

// A target that came by the API. A value.
struct Member {
  config::Target target;
  config::Json canonical;   // the same as it stands in a document
  milliseconds lease{0};    // how long it stays without being put again; zero: for good
  uint64_t version = 0;     // of its last change; what its ETag is made of
  std::string author;
  std::string created;
  // Why it is on its way out, draining; empty: it stays. And when what has not ended there is cut.
  std::string leaving;
  Instant leaves_at{};

  // Whether it is what is asked for already: the same target with the same lease, to stay.
  bool is(const Member& wanted) const { return leaving.empty() && target == wanted.target && lease == wanted.lease; }
};

// Those of every upstream: upstream → id → member. A change makes a copy.
using Members = std::map<std::string, std::map<std::string, Member>>;

config::Members targets_of(const Members& members);
// Those of `members` whose upstream `document` does not have as a dynamic one.
std::vector<std::string> left_behind(const Members& members, const config::Document& document);

// `targets` (id → target) as members of an upstream that is declared so: checked by the decoder of documents, together
// with what the upstream says of them all. Or every fault, each with its pointer into `targets`.
struct DecodedMembers {
  std::map<std::string, Member> members;   // target and canonical alone
  std::vector<config::Problem> problems;
};
DecodedMembers decode_members(const std::string& upstream, const config::Json& declared, const config::Json& targets);

// As the store keeps one, and back; nothing when this build does not take it any more.
store::DynamicTarget stored(const std::string& upstream, const Member& member);
std::optional<Member> restored(const store::DynamicTarget& row, const config::Json& declared);
// What the store has to do so that it holds `after` in place of `before`.
store::MembershipChange change_between(const Members& before, const Members& after);

}   // namespace proxyd::master
