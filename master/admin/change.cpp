#include "master/admin/change.h"

#include <fmt/format.h>

#include <algorithm>

#include "master/admin/provenance.h"

namespace proxyd::admin {
namespace {

using Active = std::shared_ptr<const master::ActiveConfiguration>;
using Kind = master::Configuration::Failure::Kind;

constexpr int kTries = 8;   // overtaken by a reload
constexpr std::chrono::seconds kTurn{20};
constexpr size_t kMostMessage = 1024;
constexpr size_t kMostDifferences = 100;

// A document that was read in another form is the same document.
std::string without_form(std::string tag) {
  for (const std::string_view form : {"-yaml\"", "-source\""}) {
    if (tag.starts_with("\"r") && tag.ends_with(form)) return tag.substr(0, tag.size() - form.size()) + "\"";
  }
  return tag;
}

// The revision in "r42" or "app@r42"; nothing when the tag is of neither form.
std::optional<uint64_t> revision_in(std::string tag) {
  tag = without_form(std::move(tag));
  tag.erase(std::remove(tag.begin(), tag.end(), '"'), tag.end());
  if (const size_t at = tag.rfind('@'); at != std::string::npos) tag = tag.substr(at + 1);
  if (tag.size() < 2 || tag[0] != 'r' || tag.find_first_not_of("0123456789", 1) != std::string::npos || tag.size() > 18)
    return std::nullopt;
  return std::stoull(tag.substr(1));
}

std::string name_of(const std::string& object) { return object.substr(object.rfind('/') + 1); }

bool is_there(const Active& active, const std::string& object) {
  return active && (object.empty() || active->versions.contains(object));
}

std::string current_tag(const Active& active, const std::string& object) {
  if (!is_there(active, object)) return "";
  return object.empty() ? document_tag(active->revision.number) : object_tag(*active, object);
}

// What was changed since the revision that the caller has read: who did it, and the difference.
AdminAnswer changed_meanwhile(const AdminRequest& request, const Active& active, const std::string& object,
                              Context& context) {
  Json more{{"current", nullptr}};
  if (active) {
    const bool known = is_there(active, object) && !object.empty();
    const uint64_t number = known ? active->versions.at(object) : active->revision.number;
    auto last = number == active->revision.number
                    ? store::Outcome<std::optional<store::Revision>>(std::optional(active->revision))
                    : context.master.store().read_revision(number);
    const store::Revision revision = last && *last ? **last : active->revision;
    more = {{"by", revision.author},
            {"at", revision.created},
            {"message", revision.message},
            {"revision", revision.number},
            {"current", current_tag(active, object)}};
    const auto read = revision_in(request.field("if-match"));
    auto base = read ? context.master.store().read_revision(*read)
                     : store::Outcome<std::optional<store::Revision>>(std::optional<store::Revision>());
    if (base && *base) {
      Json differences = Json::array();
      for (const config::Change& one : config::diff(Json::parse((*base)->canonical), active->canonical)) {
        if (differences.size() < kMostDifferences) differences.push_back(change_json(one));
      }
      more["diff"] = std::move(differences);
    }
  }
  const std::string what = object.empty() ? "the configuration" : fmt::format("'{}'", name_of(object));
  AdminAnswer answer = problem(
      "changed-meanwhile",
      what + (is_there(active, object) ? " was changed by someone else since it was read" : " is not there any more"),
      more);
  if (is_there(active, object)) answer.fields["ETag"] = current_tag(active, object);
  return answer;
}

std::optional<AdminAnswer> check_preconditions(const AdminRequest& request, const Active& active,
                                               const std::string& object, Context& context) {
  const std::string if_match = request.field("if-match");
  const std::string if_none_match = request.field("if-none-match");
  const bool there = is_there(active, object);
  if (if_none_match == "*" && there)
    return problem("already-exists", object.empty() ? "there is a configuration already"
                                                    : fmt::format("there is a '{}' already", name_of(object)));
  if (!if_none_match.empty() && if_none_match != "*")
    return problem("malformed", "If-None-Match is * or absent where something is changed");
  if (if_match.empty()) {
    if (context.master.bootstrap().require_if_match && there && if_none_match.empty())
      return problem("precondition-required", "send If-Match with the ETag that was read (admin.require_if_match)");
    return std::nullopt;
  }
  const bool holds = there && (if_match == "*" || lists_tag(if_match, current_tag(active, object)));
  if (!holds) return changed_meanwhile(request, active, object, context);
  return std::nullopt;
}

AdminAnswer applied_answer(const master::Configuration::Applied& applied, const std::string& object,
                           const AdminRequest& request, Context& context) {
  Json changes = Json::array();
  for (const config::Change& one : applied.changes) changes.push_back(change_json(one));
  if (request.dry_run()) changes = with_provenance(std::move(changes), context);
  Json json{{"revision", applied.revision},         {"parent", applied.parent},
            {"changes", std::move(changes)},        {"workers", applied.workers},
            {"acknowledged", applied.acknowledged}, {"warnings", problems_json(applied.warnings)}};
  if (request.dry_run()) json["dry_run"] = true;
  AdminAnswer answer = json_answer(json);
  const Active now = context.master.configuration().active();
  if (object.empty()) answer.fields["ETag"] = document_tag(applied.revision);
  if (!object.empty() && is_there(now, object)) answer.fields["ETag"] = object_tag(*now, object);
  answer.fields["Proxyd-Revision"] = std::to_string(applied.revision);
  return answer;
}

}   // namespace

std::string document_tag(uint64_t revision, const std::string& form) {
  return fmt::format("\"r{}{}{}\"", revision, form.empty() ? "" : "-", form);
}

std::string object_tag(const master::ActiveConfiguration& active, const std::string& object) {
  const auto version = active.versions.find(object);
  return fmt::format("\"{}@r{}\"", name_of(object),
                     version == active.versions.end() ? active.revision.number : version->second);
}

bool lists_tag(const std::string& tags, const std::string& tag) {
  for (size_t at = 0; at < tags.size();) {
    const size_t end = std::min(tags.find(',', at), tags.size());
    std::string one = tags.substr(at, end - at);
    std::erase(one, ' ');
    if (without_form(one) == tag) return true;
    at = end + 1;
  }
  return false;
}

Json change_json(const config::Change& change) {
  return {{"op", change.op},
          {"pointer", change.pointer},
          {"from", change.from},
          {"to", change.to},
          {"class", change.change_class}};
}

Json active_document(Context& context) {
  const Active active = context.master.configuration().active();
  return active ? active->canonical : Json{{"version", 1}};
}

AdminAnswer undecodable(const config::Decoded& decoded) {
  return problem(decoded.syntax_ok ? "invalid" : "malformed", decoded.problems.front().message,
                 {{"errors", problems_json(decoded.problems)}});
}

AdminAnswer store_answer(const store::Failure& failure) {
  switch (failure.kind) {
    case store::Failure::Kind::kBusy: return problem("store-busy", failure.message);
    case store::Failure::Kind::kFull: return problem("store-full", failure.message);
    default: return problem("internal", failure.message);
  }
}

AdminAnswer failure_answer(const master::Configuration::Failure& failure) {
  switch (failure.kind) {
    case Kind::kChangedMeanwhile: return problem("changed-meanwhile", failure.message);
    case Kind::kStoreFull: return problem("store-full", failure.message);
    case Kind::kStoreBusy: return problem("store-busy", failure.message);
    case Kind::kActivationFailed: {
      Json more{{"pointer", failure.pointer},
                {"text", failure.message},
                {"errors", problems_json({{failure.pointer, 0, 0, "activation-failed", failure.message, ""}})}};
      if (failure.worker >= 0) more["worker"] = failure.worker;
      return problem("activation-failed", failure.message, more);
    }
    case Kind::kStoreFailed:
    case Kind::kRehearsed: break;
  }
  return problem("internal", failure.message);
}

AdminAnswer change_document(const AdminRequest& request, Context& context, const DocumentChange& change) {
  const master::Bootstrap& bootstrap = context.master.bootstrap();
  if (bootstrap.config_source == "file")
    return problem("config-managed-by-file",
                   fmt::format("the configuration is in {}; change that file and reload", bootstrap.config_file));
  const std::string message = request.value("message", change.message);
  if (message.size() > kMostMessage)
    return problem("malformed", fmt::format("message has at most {} octets", kMostMessage));
  const std::unique_lock turn(context.document_turn, kTurn);
  if (!turn) return problem("store-busy", "other changes of the configuration are under way; try again");
  for (int tries = 1;; ++tries) {
    const Active active = context.master.configuration().active();
    if (auto refused = check_preconditions(request, active, change.object, context)) return *refused;
    Proposal proposal = change.propose(active_document(context));
    if (proposal.refusal) return *proposal.refusal;
    if (!proposal.decoded.valid()) return undecodable(proposal.decoded);
    master::Configuration::Request wanted;
    wanted.expected_parent = active ? active->revision.number : 0;
    wanted.decoded = std::move(proposal.decoded);
    wanted.author = request.identity.name;
    wanted.origin = change.origin;
    wanted.message = message;
    wanted.source = std::move(proposal.source);
    wanted.dry_run = request.dry_run();
    const auto applied = context.master.configuration().apply(std::move(wanted));
    if (applied) return applied_answer(*applied, change.object, request, context);
    if (applied.error().kind != Kind::kChangedMeanwhile || tries == kTries) return failure_answer(applied.error());
  }
}

}   // namespace proxyd::admin
