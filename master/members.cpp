#include "master/members.h"

#include <algorithm>
#include <chrono>

#include "shared/config/node.h"

namespace proxyd::master {
namespace {

// Where `targets` stand in the document that is made of them.
std::string place_of(const std::string& upstream) {
  return "/upstreams/" + config::pointer_step(upstream) + "/targets";
}

}   // namespace

config::Members targets_of(const Members& members) {
  config::Members targets;
  for (const auto& [upstream, all] : members) {
    for (const auto& [id, member] : all) targets[upstream][id] = member.target;
  }
  return targets;
}

std::vector<std::string> left_behind(const Members& members, const config::Document& document) {
  std::vector<std::string> names;
  for (const auto& [name, all] : members) {
    const auto upstream = document.upstreams.find(name);
    const bool stays =
        upstream != document.upstreams.end() && upstream->second.membership == config::Membership::kDynamic;
    if (!stays) names.push_back(name);
  }
  return names;
}

// A document of that upstream alone, with these targets as if they were declared.
DecodedMembers decode_members(const std::string& upstream, const config::Json& declared, const config::Json& targets) {
  config::Json whole = declared;
  whole.erase("membership");
  whole["targets"] = targets;
  config::Decoded decoded = config::decode(config::Json{{"version", 1}, {"upstreams", {{upstream, std::move(whole)}}}});
  DecodedMembers made;
  const std::string place = place_of(upstream);
  for (config::Problem& problem : decoded.problems) {
    if (problem.pointer.starts_with(place)) problem.pointer.erase(0, place.size());
    made.problems.push_back(std::move(problem));
  }
  if (!decoded.valid()) return made;
  for (auto& [id, target] : decoded.document.upstreams.at(upstream).targets) {
    Member& member = made.members[id];
    member.canonical = decoded.canonical.at("upstreams").at(upstream).at("targets").at(id);
    member.target = std::move(target);
  }
  return made;
}

store::DynamicTarget stored(const std::string& upstream, const Member& member) {
  return {upstream,       member.target.id, member.canonical.dump(), member.lease.count(),
          member.version, member.author,    member.created,          !member.leaving.empty()};
}

std::optional<Member> restored(const store::DynamicTarget& row, const config::Json& declared) {
  const config::Json target = config::Json::parse(row.target, nullptr, false);
  if (!target.is_object()) return std::nullopt;
  DecodedMembers decoded = decode_members(row.upstream, declared, {{row.id, target}});
  if (!decoded.problems.empty()) return std::nullopt;
  Member member = std::move(decoded.members.at(row.id));
  member.lease = milliseconds(row.lease_ms);
  member.version = row.version;
  member.author = row.author;
  member.created = row.created;
  return member;
}

store::MembershipChange change_between(const Members& before, const Members& after) {
  store::MembershipChange change;
  static const std::map<std::string, Member> kNone;
  const auto of = [](const Members& members, const std::string& upstream) -> const std::map<std::string, Member>& {
    const auto found = members.find(upstream);
    return found == members.end() ? kNone : found->second;
  };
  for (const auto& [upstream, all] : before) {
    for (const auto& [id, member] : all) {
      if (!of(after, upstream).contains(id)) change.removed.push_back(stored(upstream, member));
    }
  }
  for (const auto& [upstream, all] : after) {
    const auto& known = of(before, upstream);
    for (const auto& [id, member] : all) {
      const auto same = known.find(id);
      const bool is_kept =
          same != known.end() && same->second.version == member.version && same->second.leaving == member.leaving;
      if (!is_kept) change.put.push_back(stored(upstream, member));
    }
  }
  return change;
}

}   // namespace proxyd::master
