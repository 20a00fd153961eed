#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// The dynamic targets of one upstream, by id.
using MembersOfOne = std::map<std::string, master::Member>;

// A change of an upstream's dynamic targets by the API. `edit` makes of them what the call wants, or says why it does
// not; it is asked again when others were faster, and for a rehearsal, so it begins anew each time.
struct MemberChange {
  std::string upstream;
  std::function<std::optional<AdminAnswer>(const master::ActiveConfiguration& now, MembersOfOne& members)> edit;
};
struct MemberOutcome {
  std::optional<AdminAnswer> refusal;
  std::vector<config::Change> changes;   // as of a document
  std::shared_ptr<const master::ActiveConfiguration> active;
  size_t acknowledged = 0;
  std::vector<config::Problem> warnings;   // of the upstream's targets
};
// At once when it is refused or changes nothing; else within a second, when every worker serves it. With ?dry_run none
// does.
MemberOutcome change_members(const AdminRequest& request, Context& context, const MemberChange& change);
// What a write answers, without its changes' own words: revision, changes, workers, acknowledged, warnings.
Json member_outcome_json(const MemberOutcome& outcome, const AdminRequest& request, Context& context);

// "one@m1764280000000000", in quotes; a renewal of its lease leaves it as it is.
std::string member_tag(const master::Member& member);
// If-Match and If-None-Match about the target `id`, which may not be there (null).
std::optional<AdminAnswer> check_member_tag(const AdminRequest& request, Context& context, const std::string& id,
                                            const master::Member* member);

// A target as a body gives it, with its lease. `given` is an object; problems point into it.
struct WantedMember {
  Json target;   // without the lease
  milliseconds lease{0};
  std::vector<config::Problem> problems;
};
WantedMember wanted_member(const Json& given);
// As one gives it: with its lease, when it has one.
Json member_json(const master::Member& member);
// `wanted` in the place of `former` (null: of none), written by the caller.
master::Member written(master::Member wanted, const master::Member* former, const AdminRequest& request);

}   // namespace proxyd::admin
