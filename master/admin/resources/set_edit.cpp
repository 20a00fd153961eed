#include "master/admin/resources/set_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "shared/config/node.h"
#include "shared/config/validate_upstreams.h"

namespace proxyd::admin {
namespace {

std::string address_of(const Json& target) {
  const auto address = target.find("address");
  return address != target.end() && address->is_string() ? address->get<std::string>() : "";
}

AdminAnswer all_wrong(const std::vector<config::Problem>& problems) {
  return problem("invalid", problems.front().message, {{"errors", problems_json(problems)}});
}

}   // namespace

master::Member stays(master::Member member) {
  member.leaving.clear();
  member.leaves_at = {};
  return member;
}

SetEdit::SetEdit(const AdminRequest& request, std::string upstream, const Json& body, milliseconds drain, IsUp is_up)
    : request_(request), upstream_(std::move(upstream)), drain_(drain), is_up_(std::move(is_up)) {
  const auto targets = body.find("targets");
  for (const auto& [key, value] : body.items()) {
    if (key != "targets")
      problems_.push_back({"/" + config::pointer_step(key), 0, 0, "unknown-key",
                           fmt::format("'{}' is not known here; known: targets", key), ""});
  }
  if (targets == body.end() || !targets->is_structured()) {
    problems_.push_back({"/targets", 0, 0, targets == body.end() ? "missing" : "type",
                         "targets is a list of addresses or targets, or a map of targets by id", ""});
    return;
  }
  if (targets->size() > config::kMostTargets) {
    problems_.push_back({"/targets", 0, 0, "range",
                         fmt::format("{} targets, at most {} can be", targets->size(), config::kMostTargets), ""});
    return;
  }
  for (size_t i = 0; targets->is_array() && i < targets->size(); ++i)
    read(fmt::format("/targets/{}", i), "", (*targets)[i]);
  if (!targets->is_object()) return;
  for (const auto& [id, target] : targets->items()) read("/targets/" + config::pointer_step(id), id, target);
}

void SetEdit::read(const std::string& pointer, const std::string& id, const Json& given) {
  Wanted wanted{pointer, id, given.is_string(), {}};
  Json target = wanted.bare ? Json{{"address", given}} : given;
  if (!target.is_object()) {
    problems_.push_back({pointer, 0, 0, "type", "a target is an address, or an object with one", ""});
    return;
  }
  if (id.empty() && target.contains("id")) {
    wanted.id = target["id"].is_string() ? target["id"].get<std::string>() : "";
    if (wanted.id.empty()) problems_.push_back({pointer + "/id", 0, 0, "type", "id is a name", ""});
    target.erase("id");
  }
  wanted.given = wanted_member(target);
  for (config::Problem& one : wanted.given.problems) {
    one.pointer.insert(0, pointer);
    problems_.push_back(std::move(one));
  }
  if (wanted.id.empty() && address_of(wanted.given.target).empty())
    problems_.push_back({pointer + "/address", 0, 0, "missing", "key 'address' is missing in target", ""});
  wanted_.push_back(std::move(wanted));
}

std::optional<AdminAnswer> SetEdit::refusal() const {
  if (!problems_.empty()) return all_wrong(problems_);
  if (!wanted_.empty()) return std::nullopt;
  return problem("last-target",
                 fmt::format("an empty set would leave '{}' without a target; remove them one by one with ?force=true "
                             "if that is what is wanted",
                             upstream_));
}

// Targets that an address alone may mean: those that the set does not name, and those that leave last.
std::map<std::string, std::string> SetEdit::unnamed_by_address(const MembersOfOne& members) const {
  std::set<std::string> named;
  for (const Wanted& wanted : wanted_) named.insert(wanted.id);
  std::map<std::string, std::string> found;
  for (const bool leaving : {false, true}) {
    for (const auto& [id, member] : members) {
      if (member.leaving.empty() != leaving && !named.contains(id)) found.emplace(member.target.address, id);
    }
  }
  return found;
}

std::optional<AdminAnswer> SetEdit::name_all(const MembersOfOne& members) {
  named_.clear();
  const auto by_address = unnamed_by_address(members);
  std::vector<config::Problem> problems;
  for (const Wanted& wanted : wanted_) {
    const std::string address = address_of(wanted.given.target);
    const auto known = by_address.find(address);
    const std::string id = !wanted.id.empty()          ? wanted.id
                           : known != by_address.end() ? known->second
                                                       : config::name_for_address(address);
    if (!named_.emplace(id, &wanted).second)
      problems.push_back({wanted.pointer, 0, 0, "duplicate-key",
                          fmt::format("'{}' is in the set twice; targets whose names made of their addresses are the "
                                      "same need ids",
                                      id),
                          ""});
  }
  if (problems.empty()) return std::nullopt;
  return all_wrong(problems);
}

void SetEdit::put(const std::string& id, const Wanted& wanted, const master::Member& decoded, MembersOfOne& members) {
  const auto found = members.find(id);
  if (found == members.end()) {
    members[id] = written(decoded, nullptr, request_);
    added_.push_back(id);
    return;
  }
  master::Member& former = found->second;
  const bool as_it_is = wanted.bare && former.target.address == decoded.target.address;
  const master::Member& put_there = as_it_is ? former : decoded;
  if (former.lease.count() > 0 && put_there.lease == former.lease) leases_[id] = former.lease;
  kept_.push_back(id);
  if (former.is(put_there)) return;
  former = written(stays(put_there), &former, request_);
  changed_.push_back(id);
}

std::optional<AdminAnswer> SetEdit::make(const master::ActiveConfiguration& now, MembersOfOne& members) {
  for (auto* list : {&added_, &kept_, &changed_, &removed_}) list->clear();
  leases_.clear();
  if (auto refused = name_all(members)) return refused;
  Json targets = Json::object();
  for (const auto& [id, wanted] : named_) targets[id] = wanted->given.target;
  auto decoded = master::decode_members(upstream_, now.canonical.at("upstreams").at(upstream_), targets);
  for (config::Problem& one : decoded.problems) {
    for (const auto& [id, wanted] : named_) {
      const std::string place = "/" + config::pointer_step(id);
      if (one.pointer != place && !one.pointer.starts_with(place + "/")) continue;
      one.pointer.replace(0, place.size(), wanted->pointer);
      break;
    }
  }
  if (!decoded.problems.empty()) return all_wrong(decoded.problems);
  for (const auto& [id, wanted] : named_) {
    master::Member& member = decoded.members.at(id);
    member.lease = wanted->given.lease;
    put(id, *wanted, member, members);
  }
  for (auto& [id, member] : members) {
    if (named_.contains(id) || !member.leaving.empty()) continue;
    member.leaving = "it is not in the set that " + request_.identity.name + " put";
    member.leaves_at = Clock::now() + drain_;
    removed_.push_back(id);
  }
  return check_staying(now);
}

// ?min_up=N: those that are up, and new ones where nothing asks them first whether they are well.
std::optional<AdminAnswer> SetEdit::check_staying(const master::ActiveConfiguration& now) const {
  const std::string least = request_.value("min_up");
  if (least.empty()) return std::nullopt;
  const bool asked_first = now.document.upstreams.at(upstream_).health.active.has_value();
  auto up = static_cast<int64_t>(asked_first ? 0 : added_.size());
  for (const std::string& id : kept_) {
    if (is_up_(now, id)) ++up;
  }
  if (up >= std::stoll(least)) return std::nullopt;
  return problem("last-target", fmt::format("of this set, {} targets of '{}' would be up, fewer than min_up={}", up,
                                            upstream_, least));
}

}   // namespace proxyd::admin
