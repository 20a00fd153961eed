#include <fmt/format.h>

#include <algorithm>

#include "master/admin/body_fields.h"
#include "master/admin/change.h"
#include "master/admin/resources/handlers.h"
#include "master/admin/resources/target_json.h"
#include "master/admin/resources/target_overrides.h"

namespace proxyd::admin {
namespace {

constexpr milliseconds kLook{50};
constexpr milliseconds kUsualTimeout{60'000};
constexpr milliseconds kLongestTimeout = std::chrono::hours(24);
constexpr milliseconds kLongestOverride = std::chrono::hours(24 * 366);
constexpr int64_t kMostWeight = 10000;

using Aspect = master::TargetSubject::Aspect;

// What every verb begins with: the target and the body, or why there is no such call.
struct OverrideCall {
  WantedTarget wanted;
  Body body;
  std::optional<AdminAnswer> refusal;

  static OverrideCall of(const AdminRequest& request, Context& context) {
    OverrideCall call{find_target(request, context), {}, {}};
    if (!call.wanted.target) {
      call.refusal = call.wanted.refusal;
    } else {
      call.body = read_json_body(request);
      call.refusal = call.body.refusal;
    }
    return call;
  }
};

// What all of them but `ready` take.
void take_common(BodyFields& fields, TargetOverride& what) {
  what.lifetime = fields.duration("for", milliseconds(1000), kLongestOverride);
  what.reason = fields.text("reason").value_or("");
}

AdminAnswer target_answer(const AdminRequest& request, Context& context) {
  const WantedTarget now = find_target(request, context);
  return now.target ? json_answer(target_json(*now.active, *now.upstream, *now.target, context)) : now.refusal;
}

master::TargetState state_of(const WantedTarget& wanted, Context& context) {
  return state_now(*wanted.upstream, *wanted.target, wanted.active->targets.at(wanted.name()), context);
}

// What its health says of it when nobody says otherwise.
std::string ready_word(const WantedTarget& wanted, Context& context) {
  config::TargetMaterial material = wanted.active->targets.at(wanted.name());
  material.admission = config::Admission::kReady;
  return state_now(*wanted.upstream, *wanted.target, material, context).word;
}

// What the target would be, without its being so.
AdminAnswer planned(const WantedTarget& wanted, Context& context, const std::string& state,
                    std::optional<uint32_t> weight) {
  Json json = target_json(*wanted.active, *wanted.upstream, *wanted.target, context);
  json["dry_run"] = true;
  json["state"] = state;
  json["effective_weight"] = weight.value_or(0);
  return json_answer(json);
}

Json with_count(Json target, uint32_t in_flight, bool drained) {
  target["in_flight"] = in_flight;
  target["drained"] = drained;
  return target;
}

Operations::Ending watch_drain(const AdminRequest& request, Context& context, const Operations::Control& control,
                               const std::optional<store::Override>& former, TargetWatch watch, milliseconds timeout) {
  using State = Operations::State;
  const Idle idle = wait_for_idle(control, watch, timeout);
  if (idle == Idle::kStopping) return {State::kCancelled, target_answer(request, context)};   // it goes on draining
  if (idle == Idle::kCancelled) {
    const auto failed = undo_drain(request, context, former);
    return {State::kCancelled, failed ? *failed : target_answer(request, context)};
  }
  const AdminAnswer now = target_answer(request, context);
  if (!now.ok()) return {State::kFailed, now};
  const uint32_t left = idle == Idle::kYes ? 0 : watch.in_flight();
  return {left == 0 ? State::kDone : State::kTimedOut, json_answer(with_count(Json::parse(now.body), left, left == 0))};
}

// 50, or "50%" of the document's.
std::optional<uint32_t> weight_in(BodyFields& fields, uint32_t declared) {
  const Json* given = fields.any("weight");
  int64_t value = given && given->is_number_integer() ? given->get<int64_t>() : -1;
  if (given && given->is_string()) {
    const std::string text = given->get<std::string>();
    const bool percent = text.size() >= 2 && text.size() <= 6 && text.ends_with('%') &&
                         std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= '0' && c <= '9'; });
    if (percent) value = (static_cast<int64_t>(declared) * std::stol(text) + 50) / 100;
  }
  if (value >= 0 && value <= kMostWeight) return static_cast<uint32_t>(value);
  fields.fault("weight", "range",
               fmt::format("weight is a number from 0 to {}, or a percentage of the document's {}, as \"50%\"",
                           kMostWeight, declared));
  return std::nullopt;
}

}   // namespace

Idle wait_for_idle(const Operations::Control& control, TargetWatch& watch, milliseconds limit) {
  const Instant end = Clock::now() + limit;
  for (;;) {
    const uint32_t left = watch.in_flight();
    control.progress({{"in_flight", left}});
    if (left == 0) return Idle::kYes;
    if (Clock::now() >= end) return Idle::kNo;
    if (!control.wait(kLook)) return control.is_cancelled() ? Idle::kCancelled : Idle::kStopping;
  }
}

std::optional<AdminAnswer> put_override(const AdminRequest& request, Context& context, const WantedTarget& wanted,
                                        const TargetOverride& what) {
  const auto now = std::chrono::system_clock::now();
  const std::string expires = what.lifetime ? rfc3339(now + *what.lifetime) : "";
  const master::TargetSubject subject{wanted.upstream->name, wanted.target->id, what.aspect};
  const auto put = context.master.configuration().put_override(
      {subject.text(), what.kind, what.value, request.identity.name, what.reason, rfc3339(now), expires});
  if (!put && put.error().kind == master::Configuration::Failure::Kind::kChangedMeanwhile)
    return problem("not-found",
                   fmt::format("upstream '{}' has no target '{}' any more", wanted.upstream->name, wanted.target->id));
  if (!put) return failure_answer(put.error());
  context.master.events().publish("target", {{"upstream", wanted.upstream->name},
                                             {"target", wanted.target->id},
                                             {"state", what.kind},
                                             {"owner", request.identity.name},
                                             {"reason", what.reason}});
  return std::nullopt;
}

std::optional<AdminAnswer> clear_override(const AdminRequest& request, Context& context, Aspect aspect) {
  const master::TargetSubject subject{request.parameters.at("u"), request.parameters.at("t"), aspect};
  const auto cleared = context.master.configuration().clear_override(subject.text());
  if (!cleared) return failure_answer(cleared.error());
  if (*cleared)
    context.master.events().publish("target", {{"upstream", subject.upstream},
                                               {"target", subject.target},
                                               {"state", aspect == Aspect::kWeight ? "weight" : "ready"},
                                               {"owner", request.identity.name}});
  return std::nullopt;
}

std::optional<store::Override> admission_of(const AdminRequest& request, Context& context) {
  const auto active = context.master.configuration().active();
  if (!active) return std::nullopt;
  const std::string subject =
      master::TargetSubject{request.parameters.at("u"), request.parameters.at("t"), Aspect::kAdmission}.text();
  const auto found = std::find_if(active->overrides.begin(), active->overrides.end(),
                                  [&subject](const store::Override& one) { return one.subject == subject; });
  return found == active->overrides.end() ? std::nullopt : std::optional(*found);
}

std::optional<AdminAnswer> undo_drain(const AdminRequest& request, Context& context,
                                      const std::optional<store::Override>& former) {
  const auto now = admission_of(request, context);
  if (!now || now->kind != "drain") return std::nullopt;
  if (!former) return clear_override(request, context, Aspect::kAdmission);
  const auto put = context.master.configuration().put_override(*former);
  if (!put) return failure_answer(put.error());
  context.master.events().publish("target", {{"upstream", request.parameters.at("u")},
                                             {"target", request.parameters.at("t")},
                                             {"state", former->kind},
                                             {"owner", request.identity.name}});
  return std::nullopt;
}

// No new requests from now on; the operation ends when nothing is in flight, or its time is over.
AdminAnswer drain_target(const AdminRequest& request, Context& context) {
  const OverrideCall call = OverrideCall::of(request, context);
  if (call.refusal) return *call.refusal;
  const WantedTarget& wanted = call.wanted;
  BodyFields fields(call.body.json);
  TargetOverride what{Aspect::kAdmission, "drain", "", "", std::nullopt};
  take_common(fields, what);
  const milliseconds wait = request.duration("wait", milliseconds(0), kLongestTimeout);
  const milliseconds timeout =
      fields.duration("timeout", milliseconds(0), kLongestTimeout).value_or(std::max(kUsualTimeout, wait));
  if (auto refused = fields.refusal()) return *refused;
  if (request.dry_run()) return planned(wanted, context, "draining", std::nullopt);
  const auto former = admission_of(request, context);
  if (auto refused = put_override(request, context, wanted, what)) return *refused;
  const auto number = context.operations.start(
      "drain", wanted.name(), request.identity.name,
      [&context, asked = request, former, watch = TargetWatch(context, wanted.name()), timeout](
          const Operations::Control& control) { return watch_drain(asked, context, control, former, watch, timeout); });
  if (!number) return problem("too-many", "64 long calls run already; the target drains all the same");
  const AdminAnswer now = target_answer(request, context);
  return now.ok() ? answer_for(context.operations, *number, wait, Json::parse(now.body)) : now;
}

AdminAnswer maintain_target(const AdminRequest& request, Context& context) {
  const OverrideCall call = OverrideCall::of(request, context);
  if (call.refusal) return *call.refusal;
  const WantedTarget& wanted = call.wanted;
  BodyFields fields(call.body.json);
  TargetOverride what{Aspect::kAdmission, "maintenance", "", "", std::nullopt};
  take_common(fields, what);
  if (auto refused = fields.refusal()) return *refused;
  if (request.dry_run()) return planned(wanted, context, "maintenance", std::nullopt);
  if (auto refused = put_override(request, context, wanted, what)) return *refused;
  return target_answer(request, context);
}

AdminAnswer ready_target(const AdminRequest& request, Context& context) {
  const OverrideCall call = OverrideCall::of(request, context);
  if (call.refusal) return *call.refusal;
  const WantedTarget& wanted = call.wanted;
  BodyFields fields(call.body.json);
  (void)fields.text("reason");
  if (auto refused = fields.refusal()) return *refused;
  if (request.dry_run())
    return planned(wanted, context, ready_word(wanted, context),
                   wanted.active->targets.at(wanted.name()).weight.value_or(wanted.target->weight));
  if (auto refused = clear_override(request, context, Aspect::kAdmission)) return *refused;
  return target_answer(request, context);
}

// { "weight": 50 } or { "weight": "50%" }; "100%" is the document's own, so nothing is left to override.
AdminAnswer weigh_target(const AdminRequest& request, Context& context) {
  const OverrideCall call = OverrideCall::of(request, context);
  if (call.refusal) return *call.refusal;
  const WantedTarget& wanted = call.wanted;
  BodyFields fields(call.body.json);
  TargetOverride what{Aspect::kWeight, "weight", "", "", std::nullopt};
  take_common(fields, what);
  const auto weight = weight_in(fields, wanted.target->weight);
  if (auto refused = fields.refusal()) return *refused;
  if (request.dry_run()) return planned(wanted, context, state_of(wanted, context).word, weight);
  what.value = std::to_string(*weight);
  const bool as_declared = call.body.json.at("weight") == "100%";
  auto refused =
      as_declared ? clear_override(request, context, Aspect::kWeight) : put_override(request, context, wanted, what);
  return refused ? *refused : target_answer(request, context);
}

}   // namespace proxyd::admin
