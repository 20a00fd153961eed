#include "master/admin/resources/dynamic_target.h"

#include <fmt/format.h>

#include <functional>

#include "master/admin/resources/member_change.h"
#include "master/admin/resources/wanted_target.h"
#include "shared/config/node.h"

namespace proxyd::admin {
namespace {

// What the target is to be, of what it is (null: nothing yet); or the refusal.
struct Given {
  Json json;
  std::optional<AdminAnswer> refusal;
};
using GivenOf = std::function<Given(const master::Member* former)>;

AdminAnswer refused(std::vector<config::Problem> problems) {
  const std::string message = problems.front().message;
  return problem("invalid", message, {{"errors", problems_json(problems)}});
}

class MemberWrite {
 public:
  MemberWrite(const AdminRequest& request, Context& context, GivenOf given)
      : request_(request),
        context_(context),
        given_(std::move(given)),
        upstream_(request.parameters.at("u")),
        id_(request.parameters.at("t")) {}

  AdminAnswer run();

 private:
  std::string name() const { return upstream_ + "/" + id_; }
  std::optional<AdminAnswer> edit(const master::ActiveConfiguration& now, MembersOfOne& members);
  MemberOutcome change() {
    return change_members(request_, context_,
                          {upstream_, [this](const auto& now, MembersOfOne& members) { return edit(now, members); }});
  }
  bool is_so_already(const master::ActiveConfiguration& now);
  bool renew(const master::ActiveConfiguration& now);
  void tell(const MemberOutcome& outcome);

  const AdminRequest& request_;
  Context& context_;
  GivenOf given_;
  std::string upstream_;
  std::string id_;
  bool anew_ = false;   // a change even if it is so already: it is on its way out
};

std::optional<AdminAnswer> MemberWrite::edit(const master::ActiveConfiguration& now, MembersOfOne& members) {
  const auto found = members.find(id_);
  const master::Member* former = found == members.end() ? nullptr : &found->second;
  if (auto why = check_member_tag(request_, context_, id_, former)) return why;
  Given given = given_(former);
  if (given.refusal) return given.refusal;
  WantedMember wanted = wanted_member(given.json);
  auto decoded = master::decode_members(upstream_, now.canonical.at("upstreams").at(upstream_), {{id_, wanted.target}});
  const std::string place = "/" + config::pointer_step(id_);
  for (config::Problem& one : decoded.problems) {
    if (one.pointer.starts_with(place)) one.pointer.erase(0, place.size());
    wanted.problems.push_back(std::move(one));
  }
  if (!wanted.problems.empty()) return refused(std::move(wanted.problems));
  master::Member member = std::move(decoded.members.at(id_));
  member.lease = wanted.lease;
  if (!anew_ && former && former->is(member)) return std::nullopt;
  members[id_] = written(std::move(member), former, request_);
  return std::nullopt;
}

// What a registry asks again and again: it costs one look at the one target, whatever there is beside it.
bool MemberWrite::is_so_already(const master::ActiveConfiguration& now) {
  const auto upstream = now.members.find(upstream_);
  if (upstream == now.members.end() || !upstream->second.contains(id_)) return false;
  const master::Member& member = upstream->second.at(id_);
  MembersOfOne own{{id_, member}};
  return !edit(now, own) && own.at(id_).version == member.version;
}

// False when its lease has been found to have ended just now.
bool MemberWrite::renew(const master::ActiveConfiguration& now) {
  const milliseconds lease = now.members.at(upstream_).at(id_).lease;
  return lease.count() == 0 || context_.master.configuration().leases().renew(name(), lease);
}

void MemberWrite::tell(const MemberOutcome& outcome) {
  const bool added = !outcome.changes.empty() && outcome.changes.front().op == "add";
  context_.master.events().publish("target", {{"upstream", upstream_},
                                              {"target", id_},
                                              {"state", added ? "added" : "changed"},
                                              {"owner", request_.identity.name}});
}

AdminAnswer MemberWrite::run() {
  anew_ = context_.operations.runs("remove", name());   // which finds it changed, and gives it back
  MemberOutcome outcome{{}, {}, context_.master.configuration().active(), context_.master.pool().serving(), {}};
  const bool so_already = !request_.dry_run() && is_so_already(*outcome.active);
  const bool renewed = so_already && renew(*outcome.active);
  if (!renewed) {
    anew_ = anew_ || so_already;   // too late for a renewal: it leaves already
    outcome = change();
    if (outcome.refusal) return *outcome.refusal;
  }
  if (!outcome.changes.empty() && !request_.dry_run()) {
    context_.operations.cancel("remove", name());   // now, not when it has drained
    tell(outcome);
  }
  AdminAnswer answer = json_answer(member_outcome_json(outcome, request_, context_));
  const auto upstream = outcome.active->members.find(upstream_);
  if (upstream != outcome.active->members.end() && upstream->second.contains(id_))
    answer.fields["ETag"] = member_tag(upstream->second.at(id_));
  answer.fields["Proxyd-Revision"] = std::to_string(outcome.active->revision.number);
  answer.is_renewal = renewed;
  return answer;
}

}   // namespace

AdminAnswer put_member(const AdminRequest& request, Context& context, const Json& body) {
  return MemberWrite(request, context, [&body](const master::Member*) { return Given{body, std::nullopt}; }).run();
}

AdminAnswer patch_member(const AdminRequest& request, Context& context, const Json& body) {
  return MemberWrite(request, context,
                     [&](const master::Member* former) {
                       if (!former) return Given{{}, not_there(request).refusal};
                       Json merged = member_json(*former);
                       merged.merge_patch(body);
                       return Given{std::move(merged), std::nullopt};
                     })
      .run();
}

}   // namespace proxyd::admin
