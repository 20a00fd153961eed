#include "master/admin/change.h"

#include <fmt/format.h>

namespace proxyd::admin {
namespace {

using Kind = master::Configuration::Failure::Kind;

// The revision in "r42" or "app@r42"; nothing when the tag is of neither form.
std::optional<uint64_t> revision_in(std::string tag) {
  if (tag.starts_with("\"")) tag = tag.substr(1, tag.size() < 2 ? 0 : tag.size() - 2);
  if (const size_t at = tag.find('@'); at != std::string::npos) tag = tag.substr(at + 1);
  if (tag.size() < 2 || tag[0] != 'r' || tag.find_first_not_of("0123456789", 1) != std::string::npos || tag.size() > 18) return std::nullopt;
  return std::stoull(tag.substr(1));
}

AdminAnswer changed_meanwhile(Context& context) {
  const auto active = context.master.configuration().active();
  Json more = Json::object();
  if (active) {
    more = {{"by", active->revision.author}, {"at", active->revision.created}, {"message", active->revision.message}, {"current", document_tag(active->revision.number)}};
  }
  return problem("changed-meanwhile", "the configuration was changed by someone else since it was read", more);
}

}  // namespace

std::string document_tag(uint64_t revision) { return fmt::format("\"r{}\"", revision); }

Json change_json(const config::Change& change) {
  return {{"op", change.op}, {"pointer", change.pointer}, {"from", change.from}, {"to", change.to}, {"class", change.change_class}};
}

Json active_document(Context& context) {
  const auto active = context.master.configuration().active();
  return active ? active->canonical : Json{{"version", 1}};
}

AdminAnswer failure_answer(const master::Configuration::Failure& failure, Context& context) {
  switch (failure.kind) {
    case Kind::kChangedMeanwhile: return changed_meanwhile(context);
    case Kind::kStoreFull: return problem("store-full", failure.message);
    case Kind::kStoreBusy: return problem("store-busy", failure.message);
    case Kind::kActivationFailed: {
      Json more{{"pointer", failure.pointer}, {"text", failure.message}};
      if (failure.worker >= 0) more["worker"] = failure.worker;
      return problem("activation-failed", failure.message, more);
    }
    case Kind::kStoreFailed: break;
  }
  context.master.log().error("a change failed in the store: {}", failure.message);
  return problem("internal", "");
}

AdminAnswer change_document(const AdminRequest& request, Context& context, config::Decoded decoded, const std::string& source) {
  const master::Bootstrap& bootstrap = context.master.bootstrap();
  if (bootstrap.config_source == "file") return problem("config-managed-by-file", fmt::format("the configuration is in {}; change that file and reload", bootstrap.config_file));
  const auto active = context.master.configuration().active();
  master::Configuration::Request change;
  if (!request.if_match.empty() && request.if_match != "*") {
    change.expected_parent = revision_in(request.if_match);
    if (!change.expected_parent || !active || *change.expected_parent != active->revision.number) return changed_meanwhile(context);
  } else if (bootstrap.require_if_match && active) {
    return problem("precondition-required", "send If-Match with the ETag that was read");
  }
  if (!decoded.valid()) {
    const std::string detail = decoded.problems.front().message;
    return problem(decoded.syntax_ok ? "invalid" : "malformed", detail, {{"errors", problems_json(decoded.problems)}});
  }
  change.decoded = std::move(decoded);
  change.author = request.identity.name;
  change.origin = "api";
  change.message = request.value("message");
  change.source = source;
  change.dry_run = request.dry_run();
  auto applied = context.master.configuration().apply(std::move(change));
  if (!applied) return failure_answer(applied.error(), context);
  Json changes = Json::array();
  for (const config::Change& one : applied->changes) changes.push_back(change_json(one));
  AdminAnswer answer = json_answer({{"revision", applied->revision}, {"parent", applied->parent}, {"changes", std::move(changes)}, {"workers", applied->workers}, {"acknowledged", applied->acknowledged}, {"warnings", problems_json(applied->warnings)}});
  answer.fields["ETag"] = document_tag(applied->revision);
  answer.fields["Proxyd-Revision"] = std::to_string(applied->revision);
  return answer;
}

AdminAnswer change_document(const AdminRequest& request, Context& context, const Json& document) {
  return change_document(request, context, config::decode(document), document.dump(2));
}

void merge_patch(Json& target, const Json& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = Json::object();
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null()) {
      target.erase(key);
    } else {
      merge_patch(target[key], value);
    }
  }
}

}  // namespace proxyd::admin
