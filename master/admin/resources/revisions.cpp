#include <fmt/format.h>

#include "master/admin/change.h"
#include "master/admin/page.h"
#include "master/admin/resources/handlers.h"

namespace proxyd::admin {
namespace {

Json to_json(const store::Revision& revision) {
  return {{"revision", revision.number}, {"parent", revision.parent}, {"created", revision.created},
          {"author", revision.author},   {"origin", revision.origin}, {"message", revision.message},
          {"active", revision.active}};
}

std::optional<uint64_t> number_in(const std::string& text) {
  const bool digits = !text.empty() && text.size() <= 15 && text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::optional<uint64_t>(std::stoull(text)) : std::nullopt;
}

// The revision that the path names, or the answer why not.
struct Wanted {
  std::optional<store::Revision> revision;
  AdminAnswer refusal;
};

Wanted wanted(const std::string& text, Context& context) {
  const auto number = number_in(text);
  if (!number) return {std::nullopt, problem("not-found", fmt::format("'{}' is no revision", text))};
  auto read = context.master.store().read_revision(*number);
  if (!read) return {std::nullopt, store_answer(read.error())};
  if (!*read) return {std::nullopt, problem("not-found", fmt::format("there is no revision {}", *number))};
  return {std::move(*read), {}};
}

}   // namespace

AdminAnswer list_revisions(const AdminRequest& request, Context& context) {
  const PieceRequest page = piece_of(request);
  if (page.refusal) return *page.refusal;
  const auto revisions = context.master.store().list_revisions(page.after, page.limit + 1);
  if (!revisions) return store_answer(revisions.error());
  Json items = Json::array();
  for (const store::Revision& revision : *revisions) {
    if (items.size() < page.limit) items.push_back(to_json(revision));
  }
  const bool more = revisions->size() > page.limit;
  const std::optional<std::string> last = more ? std::optional(items.back()["revision"].dump()) : std::nullopt;
  return json_answer(page_json(std::move(items), last));
}

AdminAnswer get_revision(const AdminRequest& request, Context& context) {
  Wanted found = wanted(request.parameters.at("n"), context);
  if (!found.revision) return found.refusal;
  Json json = to_json(*found.revision);
  json["document"] = Json::parse(found.revision->canonical);
  AdminAnswer answer = json_answer(json);
  if (request.value("format") == "yaml") {
    answer.body = config::to_yaml(json["document"]);
    answer.content_type = "application/yaml";
  }
  return answer;
}

AdminAnswer diff_revision(const AdminRequest& request, Context& context) {
  Wanted found = wanted(request.parameters.at("n"), context);
  if (!found.revision) return found.refusal;
  const std::string other_text = request.value("to");
  Json to;
  if (other_text.empty()) {
    to = active_document(context);
  } else {
    Wanted other = wanted(other_text, context);
    if (!other.revision) return other.refusal;
    to = Json::parse(other.revision->canonical);
  }
  Json changes = Json::array();
  for (const config::Change& change : config::diff(Json::parse(found.revision->canonical), to))
    changes.push_back(change_json(change));
  return json_answer({{"changes", std::move(changes)}});
}

// A rollback: a new revision equal to an old one.
AdminAnswer activate_revision(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  const Wanted found = wanted(request.parameters.at("n"), context);
  if (!found.revision) return found.refusal;
  DocumentChange change;
  change.origin = "rollback";
  change.message = fmt::format("rollback to revision {}", found.revision->number);
  change.propose = [&found](const Json&) {
    return Proposal{config::decode(found.revision->canonical, config::Format::kJson), found.revision->source,
                    std::nullopt};
  };
  return change_document(request, context, change);
}

}   // namespace proxyd::admin
