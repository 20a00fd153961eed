#include <fmt/format.h>

#include <algorithm>

#include "master/configuration.h"
#include "shared/config/units.h"

// Targets that come and go by the API: epochs of a revision, in the store but in no document.
namespace proxyd::master {
namespace {

constexpr milliseconds kLeaseDrain{30'000};
constexpr size_t kMostToldAlone = 32;
constexpr milliseconds kCutPatience{2000};   // until what was cut has ended

std::string name_of(const std::string& upstream, const std::string& id) { return upstream + "/" + id; }

// Of "upstream/id"; null when it is not there.
template <class All>
auto find(All& members, const std::string& name) -> decltype(&members.begin()->second.begin()->second) {
  const size_t slash = name.find('/');
  const auto upstream = members.find(name.substr(0, slash));
  if (upstream == members.end()) return nullptr;
  const auto member = upstream->second.find(name.substr(slash + 1));
  return member == upstream->second.end() ? nullptr : &member->second;
}

config::Json declared(const config::Json& canonical, const std::string& upstream) {
  const auto all = canonical.find("upstreams");
  return all == canonical.end() || !all->contains(upstream) ? config::Json() : (*all)[upstream];
}

bool is_dynamic(const config::Json& upstream) {
  return upstream.is_object() && upstream.value("membership", "") == "dynamic";
}

// What an upstream says now must be right for the targets that it has.
std::optional<Configuration::Failure> check_fit(const config::Json& canonical, const Members& members) {
  for (const auto& [upstream, all] : members) {
    config::Json targets = config::Json::object();
    for (const auto& [id, member] : all) targets[id] = member.canonical;
    const DecodedMembers decoded = decode_members(upstream, declared(canonical, upstream), targets);
    if (decoded.problems.empty()) continue;
    return Configuration::Failure::refused(
        fmt::format("of the targets that the API added: {}", decoded.problems.front().message),
        decoded.problems.front().pointer.starts_with("/upstreams/")
            ? decoded.problems.front().pointer
            : fmt::format("/upstreams/{}/targets{}", upstream, decoded.problems.front().pointer));
  }
  return std::nullopt;
}

store::AuditEntry audit_of_lease(const std::string& upstream, const Member& member) {
  return {0,       rfc3339(std::chrono::system_clock::now()),
          "lease", fmt::format("DELETE /api/v1/upstreams/{}/targets/{}", upstream, member.target.id),
          200,     member.leaving};
}

}   // namespace

// As the store has them; what this build does not take stays there and serves nothing, and the log says so. Those that
// were draining have drained: no request outlived the process.
Result<Members, Configuration::Failure> Configuration::stored_members(const config::Json& canonical) {
  auto rows = parts_.store.dynamic_targets();
  if (!rows) return Failure::of_store(rows.error());
  Members members;
  for (const store::DynamicTarget& row : *rows) {
    const config::Json upstream = declared(canonical, row.upstream);
    if (row.leaving || !is_dynamic(upstream)) continue;
    if (auto member = restored(row, upstream)) {
      members[row.upstream][row.id] = std::move(*member);
    } else {
      parts_.log.error("the stored target {}/{} is not valid for this build and is left out", row.upstream, row.id);
    }
  }
  return members;
}

// What was left out for good goes from the store, too, so that it does not come back with its upstream.
void Configuration::drop_stale_members() {
  const auto rows = parts_.store.dynamic_targets();
  const auto now = active();
  store::MembershipChange gone;
  for (const store::DynamicTarget& row : rows ? *rows : std::vector<store::DynamicTarget>()) {
    if (row.leaving || !is_dynamic(declared(now->canonical, row.upstream))) gone.removed.push_back(row);
  }
  const auto dropped = gone.removed.empty() ? store::Outcome<void>() : parts_.store.change_members(gone);
  if (!dropped) parts_.log.warning("dynamic targets could not be removed: {}", dropped.error().message);
}

// The next revision keeps those of the upstreams that it has; `dropped` says whose go.
std::optional<Configuration::Failure> Configuration::take_members(ActiveConfiguration& next,
                                                                  const ActiveConfiguration* before,
                                                                  store::Dropped& dropped,
                                                                  std::vector<config::Problem>& warnings) {
  auto members = before ? Result<Members, Failure>(before->members) : stored_members(next.canonical);
  if (!members) return members.error();
  dropped.upstreams = left_behind(*members, next.document);
  for (const std::string& name : dropped.upstreams) {
    warnings.push_back({"/upstreams/" + name, 0, 0, "members-dropped",
                        fmt::format("'{}' is no upstream with membership: dynamic any more; its {} targets that the "
                                    "API added go with it",
                                    name, members->at(name).size()),
                        ""});
    members->erase(name);
  }
  if (before &&
      before->canonical.value("upstreams", config::Json()) != next.canonical.value("upstreams", config::Json())) {
    if (auto failure = check_fit(next.canonical, *members)) return failure;
  }
  if (!before) begin_leases(change_between({}, *members), *members);
  next.members = std::move(*members);
  config::put_members(next.document, targets_of(next.members));
  return std::nullopt;
}

void Configuration::begin_leases(const store::MembershipChange& change, const Members& members) {
  for (const store::DynamicTarget& one : change.removed) leases_.end(name_of(one.upstream, one.id));
  for (const store::DynamicTarget& one : change.put) {
    const Member& member = members.at(one.upstream).at(one.id);
    if (!member.leaving.empty()) continue;
    if (member.lease.count() > 0)
      leases_.begin(name_of(one.upstream, one.id), member.lease);
    else
      leases_.end(name_of(one.upstream, one.id));
  }
}

Result<Configuration::MembersChanged, Configuration::Failure> Configuration::change_members(
    const MemberEdit& edit, const std::vector<store::AuditEntry>& audit) {
  MemberPart part{edit, audit};
  edits_.add(part, [this](const std::vector<MemberPart*>& parts) { perform_edits(parts); });
  return std::move(*part.outcome);
}

Result<Configuration::MembersChanged, Configuration::Failure> Configuration::rehearse_members(const MemberEdit& edit) {
  const std::lock_guard lock(change_);
  const auto before = active();
  if (!before) return Failure::refused("there is no configuration yet");
  Members members = before->members;
  const size_t serving = parts_.pool.serving();
  if (!edit(*before, members)) return MembersChanged{false, before, serving, {}};
  auto tried = publish_members(*before, std::move(members), {}, Purpose::kRehearsal);
  if (!tried && tried.error().kind == Failure::Kind::kRehearsed) return MembersChanged{true, before, serving, {}};
  return tried;
}

// All in one epoch; when that fails each by itself, so that nobody fails for another.
void Configuration::perform_edits(const std::vector<MemberPart*>& parts) {
  const std::lock_guard lock(change_);
  try {
    if (perform_together(parts)) return;
    for (MemberPart* part : parts) perform_together({part});
  } catch (const std::exception& error) {
    for (MemberPart* part : parts) {
      if (!part->outcome) part->outcome = Failure{Failure::Kind::kStoreFailed, error.what(), "", -1};
    }
  }
}

// False when there are several and they failed.
bool Configuration::perform_together(const std::vector<MemberPart*>& parts) {
  const auto before = active();
  if (!before) {
    for (MemberPart* part : parts) part->outcome = Failure::refused("there is no configuration yet");
    return true;
  }
  Members members = before->members;
  std::vector<store::AuditEntry> audit;
  bool any = false;
  for (MemberPart* part : parts) {
    Members made = members;
    part->changed = part->edit(*before, made);
    if (!part->changed) continue;
    any = true;
    members = std::move(made);
    audit.insert(audit.end(), part->audit.begin(), part->audit.end());
  }
  auto published = any ? publish_members(*before, std::move(members), audit, Purpose::kServing)
                       : Result<MembersChanged, Failure>(MembersChanged{false, before, parts_.pool.serving(), {}});
  if (!published && parts.size() > 1) return false;
  for (MemberPart* part : parts) {
    part->outcome = published;
    if (published) (*part->outcome)->changed = part->changed;
  }
  return true;
}

Result<Configuration::MembersChanged, Configuration::Failure> Configuration::publish_members(
    const ActiveConfiguration& before, Members members, const std::vector<store::AuditEntry>& audit, Purpose purpose) {
  std::erase_if(members, [](const auto& upstream) { return upstream.second.empty(); });
  store::MembershipChange change = change_between(before.members, members);
  change.audit = audit;
  const auto alter = [&](ActiveConfiguration& next) {
    next.members = members;
    config::put_members(next.document, targets_of(members));
    change.dropped = take_unnamed(next);
  };
  const auto commit = [&]() -> std::optional<Failure> {
    if (purpose == Purpose::kRehearsal) return Failure{Failure::Kind::kRehearsed, "", "", -1};
    auto kept = parts_.store.change_members(change);
    if (!kept) return Failure::of_store(kept.error());
    return std::nullopt;
  };
  auto published = publish_again(alter, commit, Again::kNothing, purpose);
  if (!published) return published.error();
  begin_leases(change, members);
  const auto now = active();
  return MembersChanged{true, now, *published, now->warnings};
}

uint32_t Configuration::in_flight_at(const ActiveConfiguration& active, const std::string& name) const {
  const auto material = active.targets.find(name);
  uint32_t sum = 0;
  for (const uint32_t row : material == active.targets.end() ? std::vector<uint32_t>() : material->second.rows())
    sum += parts_.regions.status().in_flight_sum(row);
  return sum;
}

// One that drains may go when nothing is in flight there; what still is when its time is over is cut.
bool Configuration::may_leave(const ActiveConfiguration& active, const std::string& name, const Member& member) {
  const Instant now = Clock::now();
  if (in_flight_at(active, name) == 0) return true;
  if (now < member.leaves_at) return false;
  for (const uint32_t row : active.targets.at(name).rows()) parts_.pool.cut(row);
  return now >= member.leaves_at + kCutPatience;
}

// Each by itself, or of many at once how many there are: the events are the last thousand.
void Configuration::tell_of(const std::map<std::string, std::string>& reasons, const char* state) {
  std::map<std::string, size_t> counts;
  for (const auto& [name, why] : reasons) {
    const size_t slash = name.find('/');
    ++counts[name.substr(0, slash)];
    parts_.log.info("target {} is {}: {}", name, state, why);
    if (reasons.size() <= kMostToldAlone)
      parts_.events.publish(
          "target",
          {{"upstream", name.substr(0, slash)}, {"target", name.substr(slash + 1)}, {"state", state}, {"reason", why}});
  }
  if (reasons.size() <= kMostToldAlone) return;
  for (const auto& [upstream, count] : counts)
    parts_.events.publish("target", {{"upstream", upstream}, {"state", state}, {"targets", count}});
}

// Leases that ended, and those that have drained.
Configuration::Departures Configuration::departures() {
  const std::lock_guard lock(change_);   // a change begins leases as it comes into force
  const auto now = active();
  Departures found;
  if (!now || now->members.empty()) return found;
  leases_.keep_only([&now](const std::string& name) {
    const Member* member = find(now->members, name);
    return member && member->lease.count() > 0;
  });
  for (std::string& name : leases_.take_ended(Clock::now())) {
    if (find(now->members, name)->leaving.empty()) found.ended.push_back(std::move(name));
  }
  for (const auto& [upstream, all] : now->members) {
    for (const auto& [id, member] : all) {
      if (!member.leaving.empty() && may_leave(*now, name_of(upstream, id), member))
        found.drained[name_of(upstream, id)] = member;
    }
  }
  return found;
}

// Who was put again meanwhile stays.
bool Configuration::Departures::take_place(Members& members) {
  audit.clear();
  bool changed = false;
  for (const std::string& name : ended) {
    Member* member = find(members, name);
    if (!member || !member->leaving.empty() || member->lease.count() == 0) continue;
    member->leaving = fmt::format("its lease of {} ended", config::format_duration(member->lease.count()));
    member->leaves_at = Clock::now() + kLeaseDrain;
    audit.push_back(audit_of_lease(name.substr(0, name.find('/')), *member));
    changed = true;
  }
  for (const auto& [name, drained_one] : drained) {
    const Member* member = find(members, name);
    if (!member || member->leaving.empty() || member->version != drained_one.version) continue;
    members.at(name.substr(0, name.find('/'))).erase(name.substr(name.find('/') + 1));
    changed = true;
  }
  return changed;
}

void Configuration::tend_members() {
  Departures leaving = departures();
  if (leaving.ended.empty() && leaving.drained.empty()) return;
  const auto changed = change_members(
      [&leaving](const ActiveConfiguration&, Members& members) { return leaving.take_place(members); }, leaving.audit);
  const std::string failure = changed ? "" : changed.error().message;
  if (!failure.empty() && failure != tending_failure_)
    parts_.log.error("dynamic targets that should leave stay: {}; it is tried again each second", failure);
  tending_failure_ = failure;
  if (!changed || !changed->changed) return;
  std::map<std::string, std::string> draining, removed;
  for (const std::string& name : leaving.ended) {
    const Member* member = find(changed->active->members, name);
    if (member && !member->leaving.empty()) draining[name] = member->leaving;
  }
  for (const auto& [name, member] : leaving.drained) {
    if (!find(changed->active->members, name)) removed[name] = member.leaving;
  }
  tell_of(draining, "draining");
  tell_of(removed, "removed");
}

}   // namespace proxyd::master
