#include <fmt/format.h>

#include <algorithm>

#include "master/admin/change.h"
#include "master/admin/resources/handlers.h"
#include "master/admin/resources/target_json.h"
#include "master/admin/resources/target_overrides.h"

namespace proxyd::admin {
namespace {

using Aspect = master::TargetSubject::Aspect;

constexpr milliseconds kLongestDrain = std::chrono::hours(24);
constexpr milliseconds kUsualDrain{30'000};
constexpr milliseconds kCutPatience{2000};
constexpr milliseconds kCutAgain{100};

// When a removal is asked for, those that are being removed already do not count any more; when it is done, they do as
// long as they are there, for theirs may be cancelled.
enum class Look { kFirst, kLast };

// Nobody takes the last one away by mistake, nor goes below what the caller wants to stay up.
std::optional<AdminAnswer> check_last(const AdminRequest& request, Context& context, const Json& targets, Look look) {
  const std::string& upstream = request.parameters.at("u");
  const std::string& id = request.parameters.at("t");
  std::vector<std::string> staying;
  for (const auto& [name, target] : targets.items()) {
    const bool leaves =
        name == id || (look == Look::kFirst && context.operations.runs("remove", upstream + "/" + name));
    if (!leaves) staying.push_back(upstream + "/" + name);
  }
  if (staying.empty() && !request.flag("force"))
    return problem("last-target", fmt::format("'{}' is the last target of '{}' that stays; ?force=true removes it all "
                                              "the same",
                                              id, upstream));
  const std::string least = request.value("min_up");
  if (least.empty()) return std::nullopt;
  const auto active = context.master.configuration().active();
  const auto up = std::count_if(staying.begin(), staying.end(), [&active](const std::string& name) {
    const auto material = active->targets.find(name);
    return material != active->targets.end() && state_of(material->second) == "up";
  });
  if (up >= std::stoll(least)) return std::nullopt;
  return problem("last-target",
                 fmt::format("without '{}', {} of '{}' would be up, fewer than min_up={}", id, up, upstream, least));
}

DocumentChange removal(const AdminRequest& request, Context& context, Look look) {
  return {place_of(request), [&request, &context, look](Json document) {
            Json* targets = targets_in(document, request);
            if (!targets || !targets->contains(request.parameters.at("t"))) return not_there(request);
            if (auto refused = check_last(request, context, *targets, look)) return Proposal::refused(*refused);
            targets->erase(request.parameters.at("t"));
            return Proposal::of(document);
          }};
}

// What the removal would meet: preconditions, a configuration that is a file's, the last target.
AdminAnswer rehearse_removal(const AdminRequest& request, Context& context, Look look) {
  AdminRequest rehearsal = request;
  rehearsal.query["dry_run"] = "true";
  return change_document(rehearsal, context, removal(rehearsal, context, look));
}

// A removal that failed: the target is again what it was before it was drained.
AdminAnswer not_removed(const AdminRequest& request, Context& context, const std::optional<store::Override>& former,
                        AdminAnswer answer) {
  const auto failed = undo_drain(request, context, former);
  if (failed) context.master.log().warning("{} goes on draining: {}", place_of(request), failed->why);
  return answer;
}

// Takes the target out of the document.
AdminAnswer remove_drained(const AdminRequest& request, Context& context,
                           const std::optional<store::Override>& former) {
  AdminAnswer answer = change_document(request, context, removal(request, context, Look::kLast));
  return answer.ok() ? answer : not_removed(request, context, former, std::move(answer));
}

// Ends what is still in flight, again and again: a request may have been between two connections at the first time.
// A row that is another's by now is left alone.
Idle cut_rest(const AdminRequest& request, Context& context, const Operations::Control& control, uint32_t row) {
  const Instant end = Clock::now() + kCutPatience;
  Idle idle = Idle::kNo;
  while (idle == Idle::kNo && Clock::now() < end) {
    const WantedTarget now = find_target(request, context);
    if (!now.target || now.row() != row) return idle;
    context.master.pool().cut(row);
    idle = wait_for_idle(context, control, row, kCutAgain);
  }
  return idle;
}

// The part of a removal that goes on without its caller: waits, cuts what has not ended, and takes the target out of
// the document. The cut comes first, for it is by the configurations that name the target that workers find it.
Operations::Ending drain_and_remove(const AdminRequest& request, Context& context, const Operations::Control& control,
                                    const std::optional<store::Override>& former, uint32_t row, milliseconds drain) {
  using State = Operations::State;
  const status::StatusRegion& status = context.master.regions().status();
  Idle idle = wait_for_idle(context, control, row, drain);
  const uint32_t late = idle == Idle::kNo ? status.in_flight_sum(row) : 0;
  if (idle == Idle::kNo) {
    // Nothing is cut for a removal that would fail.
    AdminAnswer tried = rehearse_removal(request, context, Look::kLast);
    if (!tried.ok()) return {State::kFailed, not_removed(request, context, former, std::move(tried))};
    idle = cut_rest(request, context, control, row);
  }
  if (idle == Idle::kStopping) return {State::kCancelled, json_answer({{"cancelled", false}})};   // it goes on draining
  if (idle == Idle::kCancelled) {
    const auto failed = undo_drain(request, context, former);
    return {State::kCancelled, failed ? *failed : json_answer({{"cancelled", true}})};
  }
  const uint32_t left = idle == Idle::kYes ? 0 : status.in_flight_sum(row);
  AdminAnswer answer = remove_drained(request, context, former);
  if (!answer.ok()) return {State::kFailed, answer};
  if (late > 0) {
    Json json = Json::parse(answer.body);
    json["cut"] = late - std::min(left, late);
    json["in_flight"] = left;
    answer.body = json.dump() + "\n";
  }
  return {State::kDone, answer};
}

}   // namespace

// Drains first, unless forced or idle; what has not ended then is cut, and the target goes out of the document.
AdminAnswer delete_target(const AdminRequest& request, Context& context) {
  const WantedTarget wanted = find_target(request, context);
  if (!wanted.target) return request.flag("missing_ok") ? json_answer({{"changes", Json::array()}}) : wanted.refusal;
  // What the removal would meet in the end is met now.
  AdminAnswer tried = rehearse_removal(request, context, Look::kFirst);
  if (!tried.ok() || request.dry_run()) return tried;
  if (request.flag("force")) return change_document(request, context, removal(request, context, Look::kFirst));
  const auto former = admission_of(request, context);
  if (auto refused = put_override(request, context, wanted, {Aspect::kAdmission, "drain", "", "removal", std::nullopt}))
    return *refused;
  const uint32_t row = wanted.row();
  if (context.master.regions().status().in_flight_sum(row) == 0) return remove_drained(request, context, former);
  const milliseconds drain = request.duration("drain", kUsualDrain, kLongestDrain);
  const auto number =
      context.operations.start("remove", wanted.name(), request.identity.name,
                               [&context, asked = request, former, row, drain](const Operations::Control& control) {
                                 return drain_and_remove(asked, context, control, former, row, drain);
                               });
  if (!number) return problem("too-many", "64 long calls run already");
  return answer_for(context.operations, *number, request.duration("wait", milliseconds(0), kLongestDrain),
                    {{"changes", Json::array()}});
}

}   // namespace proxyd::admin
