#include "master/admin/resources/member_change.h"

#include <fmt/format.h>

#include <algorithm>

#include "master/admin/change.h"
#include "shared/config/node.h"
#include "shared/config/units.h"

namespace proxyd::admin {
namespace {

constexpr milliseconds kShortestLease{1000};
constexpr milliseconds kLongestLease = std::chrono::hours(24 * 366);

bool is_changed(const master::Member& from, const master::Member& to) {
  return from.version != to.version || from.leaving != to.leaving;
}

std::vector<config::Change> changes_between(const std::string& upstream, const MembersOfOne& from,
                                            const MembersOfOne& to) {
  const std::string place = "/upstreams/" + config::pointer_step(upstream) + "/targets/";
  std::vector<config::Change> changes;
  for (const auto& [id, member] : from) {
    const auto still = to.find(id);
    if (still == to.end() || (member.leaving.empty() && !still->second.leaving.empty()))
      changes.push_back({"remove", place + id, member_json(member), nullptr, "live"});
  }
  for (const auto& [id, member] : to) {
    const auto known = from.find(id);
    if (known == from.end())
      changes.push_back({"add", place + id, nullptr, member_json(member), "live"});
    else if (known->second.version != member.version)
      changes.push_back({"replace", place + id, member_json(known->second), member_json(member), "live"});
  }
  return changes;
}

std::optional<AdminAnswer> check_upstream(const master::ActiveConfiguration& now, const std::string& name) {
  const auto upstream = now.document.upstreams.find(name);
  if (upstream == now.document.upstreams.end())
    return problem("not-found", fmt::format("there is no upstream '{}'", name));
  if (upstream->second.membership == config::Membership::kDynamic) return std::nullopt;
  return problem("not-dynamic", fmt::format("the targets of '{}' are declared in the document: its membership is not "
                                            "dynamic",
                                            name));
}

AdminAnswer changed_member(const AdminRequest& request, const std::string& id, const master::Member* member) {
  if (!member)
    return problem("changed-meanwhile", fmt::format("'{}' is not there any more", id), {{"current", nullptr}});
  const std::chrono::system_clock::time_point when{std::chrono::microseconds(member->version)};
  AdminAnswer answer =
      problem("changed-meanwhile", fmt::format("'{}' was changed by someone else since it was read", id),
              {{"by", member->author},
               {"at", rfc3339(when)},
               {"message", ""},
               {"given", request.field("if-match")},
               {"current", member_tag(*member)}});
  answer.fields["ETag"] = member_tag(*member);
  return answer;
}

}   // namespace

MemberOutcome change_members(const AdminRequest& request, Context& context, const MemberChange& change) {
  MemberOutcome outcome;
  const auto edit = [&](const master::ActiveConfiguration& now, master::Members& all) {
    outcome.changes.clear();
    outcome.refusal = check_upstream(now, change.upstream);
    if (outcome.refusal) return false;
    MembersOfOne& members = all[change.upstream];
    const MembersOfOne before = members;
    outcome.refusal = change.edit(now, members);
    if (outcome.refusal) return false;
    outcome.changes = changes_between(change.upstream, before, members);
    return before.size() != members.size() || std::any_of(members.begin(), members.end(), [&before](const auto& one) {
             const auto known = before.find(one.first);
             return known == before.end() || is_changed(known->second, one.second);
           });
  };
  master::Configuration& configuration = context.master.configuration();
  outcome.active = configuration.active();
  if (!outcome.active) {
    outcome.refusal = problem("not-found", fmt::format("there is no upstream '{}'", change.upstream));
    return outcome;
  }
  outcome.acknowledged = context.master.pool().serving();
  master::Members first = outcome.active->members;
  if (!edit(*outcome.active, first)) return outcome;
  auto made = request.dry_run() ? configuration.rehearse_members(edit) : configuration.change_members(edit);
  if (!made) {
    outcome.refusal = failure_answer(made.error());
    return outcome;
  }
  outcome.active = made->active;
  outcome.acknowledged = made->acknowledged;
  const std::string place = "/upstreams/" + config::pointer_step(change.upstream) + "/";
  for (config::Problem& warning : made->warnings) {
    if (warning.pointer.starts_with(place)) outcome.warnings.push_back(std::move(warning));
  }
  return outcome;
}

Json member_outcome_json(const MemberOutcome& outcome, const AdminRequest& request, Context& context) {
  Json changes = Json::array();
  for (const config::Change& one : outcome.changes) changes.push_back(change_json(one));
  Json json{{"membership", "dynamic"},
            {"revision", outcome.active->revision.number},
            {"parent", outcome.active->revision.number},
            {"changes", std::move(changes)},
            {"workers", std::max(context.master.pool().serving(), outcome.acknowledged)},
            {"acknowledged", outcome.acknowledged},
            {"warnings", problems_json(outcome.warnings)}};
  if (request.dry_run()) json["dry_run"] = true;
  return json;
}

std::string member_tag(const master::Member& member) {
  return fmt::format("\"{}@m{}\"", member.target.id, member.version);
}

std::optional<AdminAnswer> check_member_tag(const AdminRequest& request, Context& context, const std::string& id,
                                            const master::Member* member) {
  const std::string if_match = request.field("if-match");
  const std::string if_none_match = request.field("if-none-match");
  if (if_none_match == "*" && member) return problem("already-exists", fmt::format("there is a '{}' already", id));
  if (!if_none_match.empty() && if_none_match != "*")
    return problem("malformed", "If-None-Match is * or absent where something is changed");
  if (if_match.empty()) {
    if (context.master.bootstrap().require_if_match && member && if_none_match.empty())
      return problem("precondition-required", "send If-Match with the ETag that was read (admin.require_if_match)");
    return std::nullopt;
  }
  const bool holds = member && (if_match == "*" || lists_tag(if_match, member_tag(*member)));
  return holds ? std::nullopt : std::optional(changed_member(request, id, member));
}

WantedMember wanted_member(const Json& given) {
  WantedMember wanted{given, milliseconds(0), {}};
  const auto lease = given.find("lease");
  if (lease == given.end()) return wanted;
  wanted.target.erase("lease");
  if (lease->is_null()) return wanted;
  const auto parsed = lease->is_string() ? config::parse_duration(lease->get<std::string>()) : std::nullopt;
  if (parsed && milliseconds(*parsed) >= kShortestLease && milliseconds(*parsed) <= kLongestLease) {
    wanted.lease = milliseconds(*parsed);
    return wanted;
  }
  wanted.problems.push_back(
      {"/lease", 0, 0, parsed ? "range" : "unit",
       fmt::format("lease is a duration from {} to {}", config::format_duration(kShortestLease.count()),
                   config::format_duration(kLongestLease.count())),
       ""});
  return wanted;
}

Json member_json(const master::Member& member) {
  Json json = member.canonical;
  if (member.lease.count() > 0) json["lease"] = config::format_duration(member.lease.count());
  return json;
}

master::Member written(master::Member wanted, const master::Member* former, const AdminRequest& request) {
  const auto now = std::chrono::system_clock::now();
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  wanted.version = std::max(static_cast<uint64_t>(since.count()), former ? former->version + 1 : 0);
  wanted.author = request.identity.name;
  wanted.created = former ? former->created : rfc3339(now);
  return wanted;
}

}   // namespace proxyd::admin
