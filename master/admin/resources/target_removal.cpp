#include "master/admin/resources/target_removal.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "master/admin/change.h"
#include "master/admin/resources/handlers.h"
#include "master/admin/resources/member_change.h"
#include "master/admin/resources/target_json.h"
#include "master/admin/resources/target_overrides.h"

namespace proxyd::admin {
namespace {

using Aspect = master::TargetSubject::Aspect;

constexpr milliseconds kLongestDrain = std::chrono::hours(24);
constexpr milliseconds kUsualDrain{30'000};
constexpr milliseconds kCutPatience{2000};
constexpr milliseconds kCutAgain{100};
constexpr milliseconds kLook{10};

// When a removal is asked for, those that are being removed already do not count any more; when it is done, they do as
// long as they are there, for theirs may be cancelled.
enum class Look { kFirst, kLast };

// Nobody takes the last one away by mistake, nor goes below what the caller wants to stay up.
std::optional<AdminAnswer> check_last(const AdminRequest& request, Context& context,
                                      const std::vector<std::string>& targets, Look look) {
  const std::string& upstream = request.parameters.at("u");
  const std::string& id = request.parameters.at("t");
  std::vector<std::string> staying;
  for (const std::string& name : targets) {
    const bool leaves =
        name == id || (look == Look::kFirst && context.operations.runs("remove", upstream + "/" + name));
    if (!leaves) staying.push_back(name);
  }
  if (staying.empty() && !request.flag("force"))
    return problem("last-target", fmt::format("'{}' is the last target of '{}' that stays; ?force=true removes it all "
                                              "the same",
                                              id, upstream));
  const std::string least = request.value("min_up");
  if (least.empty()) return std::nullopt;
  const auto active = context.master.configuration().active();
  const auto up = std::count_if(staying.begin(), staying.end(),
                                [&](const std::string& name) { return is_up(*active, upstream, name, context); });
  if (up >= std::stoll(least)) return std::nullopt;
  return problem("last-target",
                 fmt::format("without '{}', {} of '{}' would be up, fewer than min_up={}", id, up, upstream, least));
}

DocumentChange removal(const AdminRequest& request, Context& context, Look look) {
  return {place_of(request), [&request, &context, look](Json document) {
            Json* targets = targets_in(document, request);
            if (!targets || !targets->contains(request.parameters.at("t"))) return not_there(request);
            std::vector<std::string> names;
            for (const auto& [name, target] : targets->items()) names.push_back(name);
            if (auto refused = check_last(request, context, names, look)) return Proposal::refused(*refused);
            targets->erase(request.parameters.at("t"));
            return Proposal::of(document);
          }};
}

// One that the API added. In the end it may have gone by itself, which is what was wanted.
AdminAnswer remove_member(const AdminRequest& request, Context& context, Look look) {
  const std::string& id = request.parameters.at("t");
  const auto edit = [&](const master::ActiveConfiguration&, MembersOfOne& members) -> std::optional<AdminAnswer> {
    const auto found = members.find(id);
    if (found == members.end()) return look == Look::kLast ? std::nullopt : not_there(request).refusal;
    if (auto refused = check_member_tag(request, context, id, &found->second)) return refused;
    std::vector<std::string> names;
    for (const auto& [name, member] : members) {
      if (member.leaving.empty()) names.push_back(name);
    }
    if (auto refused = check_last(request, context, names, look)) return refused;
    members.erase(found);
    return std::nullopt;
  };
  const MemberOutcome outcome = change_members(request, context, {request.parameters.at("u"), edit});
  if (outcome.refusal) return *outcome.refusal;
  if (!request.dry_run())
    context.master.events().publish("target", {{"upstream", request.parameters.at("u")},
                                               {"target", id},
                                               {"state", "removed"},
                                               {"owner", request.identity.name}});
  AdminAnswer answer = json_answer(member_outcome_json(outcome, request, context));
  answer.fields["Proxyd-Revision"] = std::to_string(outcome.active->revision.number);
  return answer;
}

AdminAnswer take_away(const AdminRequest& request, Context& context, Look look) {
  const auto active = context.master.configuration().active();
  const auto upstream = active->document.upstreams.find(request.parameters.at("u"));
  const bool dynamic =
      upstream != active->document.upstreams.end() && upstream->second.membership == config::Membership::kDynamic;
  return dynamic ? remove_member(request, context, look)
                 : change_document(request, context, removal(request, context, look));
}

// What the removal would meet: preconditions, a configuration that is a file's, the last target.
AdminAnswer rehearse_removal(const AdminRequest& request, Context& context, Look look) {
  AdminRequest rehearsal = request;
  rehearsal.query["dry_run"] = "true";
  return take_away(rehearsal, context, look);
}

}   // namespace

// What was cut is told even when the removal comes to nothing.
AdminAnswer TargetRemoval::take_out(uint32_t cut) {
  const uint32_t left = watch_.in_flight();
  AdminAnswer answer = take_away(request_, context_, Look::kLast);
  if (!answer.ok()) answer = given_back(std::move(answer));
  if (!answer.ok() && (cut == 0 || answer.status >= 500)) return answer;
  Json json = Json::parse(answer.body);
  json["cut"] = cut;
  json["in_flight"] = left;
  answer.body = json.dump() + "\n";
  return answer;
}

AdminAnswer TargetRemoval::given_back(AdminAnswer answer) const {
  const auto failed = undo_drain(request_, context_, former_);
  if (failed) context_.master.log().warning("{} goes on draining: {}", place_of(request_), failed->why);
  return answer;
}

Operations::Ending TargetRemoval::kept() {
  const uint32_t left = watch_.in_flight();
  return {Operations::State::kTimedOut,
          problem("not-drained",
                  fmt::format("target '{}' of '{}' is kept, draining: after {} there {} still {} request{} in flight",
                              request_.parameters.at("t"), request_.parameters.at("u"), request_.value("drain", "30s"),
                              left == 1 ? "is" : "are", left, left == 1 ? "" : "s"),
                  {{"in_flight", left}})};
}

// By a caller: the drain is taken back. By the end of the server: it goes on draining.
Operations::Ending TargetRemoval::given_up(bool by_a_caller, uint32_t cut) const {
  if (by_a_caller) {
    if (const auto failed = undo_drain(request_, context_, former_)) return {Operations::State::kCancelled, *failed};
  }
  Json json{{"cancelled", by_a_caller}};
  if (cut > 0) json["cut"] = cut;
  return {Operations::State::kCancelled, json_answer(json)};
}

// Ends what is still in flight, again and again: a request may have been between two connections at the first time.
// Says how many requests that ended. One that goes by an older
// configuration may be tried at the target again and is cut again, but counts once; one whose answer of a
// told length had arrived whole goes on.
uint32_t TargetRemoval::cut_rest(const std::function<bool(milliseconds)>& wait) {
  const uint32_t before = watch_.cut();
  const uint32_t late = watch_.in_flight();
  const Instant end = Clock::now() + kCutPatience;
  const auto goes_on = [&](milliseconds time) { return watch_.in_flight() > 0 && wait(time); };
  while (Clock::now() < end && goes_on(milliseconds(0))) {
    if (!watch_.cut_all()) break;
    const Instant again = Clock::now() + kCutAgain;
    while (Clock::now() < again && goes_on(kLook)) {
    }
  }
  const uint32_t gone = late - std::min(watch_.in_flight(), late);
  return std::min(watch_.cut() - before, gone);
}

// The cut comes before the document's change, for it is by the configurations that name the target that workers find
// it. Nothing is cut for a removal that would fail, nor for one that was cancelled while that was looked into.
Operations::Ending TargetRemoval::run(const Operations::Control& control, milliseconds drain) {
  using State = Operations::State;
  const Idle idle = wait_for_idle(control, watch_, drain);
  uint32_t cut = 0;
  if (idle == Idle::kNo && request_.flag("keep")) return kept();
  if (idle == Idle::kNo) {
    control.progress({{"in_flight", watch_.in_flight()}, {"step", "rehearsal"}});
    AdminAnswer tried = rehearse_removal(request_, context_, Look::kLast);
    if (!tried.ok()) return {State::kFailed, given_back(std::move(tried))};
    cut = cut_rest([&control](milliseconds time) { return control.wait(time); });
  }
  if (!control.wait(milliseconds(0))) return given_up(control.is_cancelled(), cut);
  AdminAnswer answer = take_out(cut);
  return {answer.ok() ? State::kDone : State::kFailed, std::move(answer)};
}

AdminAnswer TargetRemoval::force() {
  return take_out(cut_rest([](milliseconds time) {
    std::this_thread::sleep_for(time);
    return true;
  }));
}

// Drains first, unless forced or idle; what has not ended then is cut, and the target goes out of the document.
AdminAnswer delete_target(const AdminRequest& request, Context& context) {
  const bool forced = request.flag("force");
  if (forced && request.flag("keep")) return problem("malformed", "force=true cuts what keep=true keeps; give one");
  const WantedTarget wanted = find_target(request, context);
  if (!wanted.target) return request.flag("missing_ok") ? json_answer({{"changes", Json::array()}}) : wanted.refusal;
  if (request.flag("keep") && context.operations.runs("remove", wanted.name()))
    return problem("not-drained", fmt::format("target {} is being removed already, by a call that may cut requests; "
                                              "cancel that one to keep them",
                                              wanted.name()));
  // What the removal would meet in the end is met now.
  AdminAnswer tried = rehearse_removal(request, context, Look::kFirst);
  if (!tried.ok() || request.dry_run()) return tried;
  const auto former = admission_of(request, context);
  if (auto refused = put_override(request, context, wanted, {Aspect::kAdmission, "drain", "", "removal", std::nullopt}))
    return *refused;
  AdminRequest asked = request;   // who changes a dynamic target meanwhile keeps it
  if (const master::Member* member = wanted.member()) asked.fields["if-match"] = member_tag(*member);
  TargetRemoval removal(std::move(asked), context, former, TargetWatch(context, wanted.name()));
  if (forced) return removal.force();
  if (TargetWatch(context, wanted.name()).in_flight() == 0) return removal.take_out(0);
  const milliseconds drain = request.duration("drain", kUsualDrain, kLongestDrain);
  const auto number = context.operations.start(
      "remove", wanted.name(), request.identity.name,
      [removal, drain](const Operations::Control& control) mutable { return removal.run(control, drain); });
  if (!number) return removal.given_back(problem("too-many", "64 long calls run already"));
  return answer_for(context.operations, *number, request.duration("wait", milliseconds(0), kLongestDrain),
                    {{"changes", Json::array()}});
}

}   // namespace proxyd::admin
