#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "master/admin/body_fields.h"
#include "master/admin/change.h"
#include "master/admin/resources/handlers.h"
#include "master/admin/resources/set_edit.h"
#include "master/admin/resources/target_json.h"
#include "master/admin/resources/target_watch.h"

namespace proxyd::admin {
namespace {

constexpr milliseconds kUsualDrain{30'000};
constexpr milliseconds kLongestDrain = std::chrono::hours(24);
constexpr milliseconds kAfterDrain{60'000};   // until what has drained must have gone
constexpr milliseconds kLook{100};

Json names_json(const std::vector<std::string>& names) {
  Json json = Json::array();
  for (const std::string& name : names) json.push_back(name);
  return json;
}

// Those of a set that leave, watched until they have gone. A value that the operation's thread has alone.
class Leavers {
 public:
  Leavers(Context& context, const std::string& upstream, const std::vector<std::string>& ids)
      : context_(&context), upstream_(upstream) {
    for (const std::string& id : ids) watches_.emplace_back(id, TargetWatch(context, upstream + "/" + id));
  }

  // How many are still there, on their way out.
  size_t left() const {
    const auto active = context_->master.configuration().active();
    const auto members = active->members.find(upstream_);
    if (members == active->members.end()) return 0;
    return static_cast<size_t>(std::count_if(watches_.begin(), watches_.end(), [&members](const auto& one) {
      const auto member = members->second.find(one.first);
      return member != members->second.end() && !member->second.leaving.empty();
    }));
  }
  uint32_t in_flight() {
    uint32_t sum = 0;
    for (auto& [id, watch] : watches_) sum += watch.in_flight();
    return sum;
  }
  uint32_t cut() {
    uint32_t sum = 0;
    for (auto& [id, watch] : watches_) sum += watch.cut();
    return sum;
  }
  const std::string& upstream() const { return upstream_; }
  std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const auto& [id, watch] : watches_) all.push_back(id);
    return all;
  }

 private:
  Context* context_;
  std::string upstream_;
  std::vector<std::pair<std::string, TargetWatch>> watches_;
};

// Those that still drain stay.
void take_back(const AdminRequest& request, Context& context, const Leavers& leavers) {
  const auto ids = leavers.ids();
  const MemberOutcome outcome =
      change_members(request, context,
                     {leavers.upstream(),
                      [&](const master::ActiveConfiguration&, MembersOfOne& members) -> std::optional<AdminAnswer> {
                        for (const std::string& id : ids) {
                          const auto member = members.find(id);
                          if (member != members.end() && !member->second.leaving.empty())
                            member->second = written(stays(member->second), &member->second, request);
                        }
                        return std::nullopt;
                      }});
  if (outcome.refusal)
    context.master.log().warning("targets of '{}' go on draining: {}", leavers.upstream(), outcome.refusal->why);
}

Operations::Ending watch_leavers(const AdminRequest& request, Context& context, const Operations::Control& control,
                                 Leavers leavers, const Json& done, milliseconds drain) {
  using State = Operations::State;
  const Instant end = Clock::now() + drain + kAfterDrain;
  for (;;) {
    const size_t left = leavers.left();
    control.progress({{"leaving", left}, {"in_flight", leavers.in_flight()}});
    Json json = done;
    json["cut"] = leavers.cut();
    json["in_flight"] = leavers.in_flight();
    if (left == 0) return {State::kDone, json_answer(json)};
    if (Clock::now() >= end)
      return {State::kTimedOut, problem("not-drained", fmt::format("{} targets of '{}' could not be removed yet", left,
                                                                   leavers.upstream()))};
    if (control.wait(kLook)) continue;
    if (control.is_cancelled()) take_back(request, context, leavers);
    json["cancelled"] = control.is_cancelled();
    return {State::kCancelled, json_answer(json)};
  }
}

}   // namespace

// The whole set at once, all or nothing. Those that leave drain and go by themselves; the operation watches them.
AdminAnswer put_targets(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  if (!request.field("if-match").empty() || !request.field("if-none-match").empty())
    return problem("malformed", "a set of targets has no ETag: send neither If-Match nor If-None-Match");
  const std::string& upstream = request.parameters.at("u");
  const milliseconds drain = request.duration("drain", kUsualDrain, kLongestDrain);
  SetEdit edit(request, upstream, body.json, drain, [&](const master::ActiveConfiguration& now, const std::string& id) {
    return is_up(now, upstream, id, context);
  });
  if (auto refused = edit.refusal()) return *refused;
  const MemberOutcome outcome =
      change_members(request, context,
                     {upstream, [&edit](const auto& now, MembersOfOne& members) { return edit.make(now, members); }});
  if (outcome.refusal) return *outcome.refusal;
  Json json = member_outcome_json(outcome, request, context);
  json.erase("changes");
  json["added"] = names_json(edit.added());
  json["kept"] = names_json(edit.kept());
  json["changed"] = names_json(edit.changed());
  json["removed"] = names_json(edit.removed());
  AdminAnswer answer = json_answer(json);
  if (request.dry_run()) return answer;
  for (const auto& [id, lease] : edit.leases())
    context.master.configuration().leases().renew(upstream + "/" + id, lease);
  if (outcome.changes.empty()) return answer;
  context.master.events().publish("target", {{"upstream", upstream},
                                             {"state", "synced"},
                                             {"added", edit.added().size()},
                                             {"changed", edit.changed().size()},
                                             {"removed", edit.removed().size()},
                                             {"owner", request.identity.name}});
  answer.why = fmt::format("added: {}; changed: {}; removed: {}", fmt::join(edit.added(), " "),
                           fmt::join(edit.changed(), " "), fmt::join(edit.removed(), " "));
  if (edit.removed().empty()) return answer;
  Leavers leavers(context, upstream, edit.removed());
  const auto number = context.operations.start(
      "sync", fmt::format("{} at {}", upstream, rfc3339(std::chrono::system_clock::now())), request.identity.name,
      [&context, asked = request, leavers, json, drain](const Operations::Control& control) {
        return watch_leavers(asked, context, control, leavers, json, drain);
      });
  if (!number)
    return problem("too-many",
                   "64 long calls run already; the targets are set and those that leave drain all the same");
  AdminAnswer begun =
      answer_for(context.operations, *number, request.duration("wait", milliseconds(0), kLongestDrain), json);
  begun.why = answer.why;
  return begun;
}

}   // namespace proxyd::admin
