#include <fmt/format.h>

#include <optional>

#include "master/admin/change.h"
#include "master/admin/request_question.h"
#include "master/admin/resources/handlers.h"

namespace proxyd::admin {
namespace {

constexpr milliseconds kPatience{2000};

// The configuration that the question is about: none for the one in force, else its snapshot; or the answer why not.
struct Subject {
  UniqueFd snapshot;
  std::optional<AdminAnswer> refusal;
};

Subject refused(AdminAnswer answer) { return {UniqueFd(), std::move(answer)}; }

Subject sealed(const config::Decoded& decoded, uint64_t revision, Context& context) {
  if (!decoded.valid())
    return refused(problem("invalid", decoded.problems.front().message, {{"errors", problems_json(decoded.problems)}}));
  auto snapshot = context.master.configuration().sealed_apart(decoded, revision);
  if (!snapshot) return refused(problem("invalid", snapshot.error().message, {{"errors", Json::array()}}));
  return {std::move(*snapshot), std::nullopt};
}

Subject subject_of(const Json& body, Context& context) {
  const Json* document = body.contains("document") ? &body["document"] : nullptr;
  const Json number = body.value("revision", Json());
  if (document && !number.is_null())
    return refused(problem("invalid", "a question is about a revision or about a document, not about both",
                           {{"errors", Json::array()}}));
  if (document) return sealed(config::decode(*document), 0, context);
  if (number.is_null()) return {};
  if (!number.is_number_unsigned())
    return refused(problem("invalid", "revision is a number", {{"errors", Json::array()}}));
  auto revision = context.master.store().read_revision(number.get<uint64_t>());
  if (!revision) return refused(problem("store-busy", revision.error().message));
  if (!*revision) return refused(problem("not-found", fmt::format("there is no revision {}", number.get<uint64_t>())));
  return sealed(config::decode((*revision)->canonical, config::Format::kJson), (*revision)->number, context);
}

std::optional<AdminAnswer> fault_of(const Json& body) {
  BodyFields fields(body);
  check_request(fields);
  for (const char* name : {"revision", "document"}) (void)fields.any(name);
  return fields.refusal();
}

}   // namespace

// Asked of a worker: its own matcher, by the configuration in force, an old revision or a document that was sent.
AdminAnswer post_explain(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  if (auto refused = fault_of(body.json)) return *refused;
  Json without_document = body.json;
  without_document.erase("document");
  const RequestQuestion asked = question_of(without_document, "explain");
  if (asked.refusal) return *asked.refusal;
  Subject subject = subject_of(body.json, context);
  if (subject.refusal) return *subject.refusal;
  const auto answer = context.master.pool().ask(asked.question, kPatience, std::move(subject.snapshot));
  if (!answer) return problem("worker-timeout", "no worker answered within 2 s");
  if (answer->contains("error")) return invalid("/url", "value", answer->at("error").get<std::string>());
  return json_answer(Json::parse(answer->dump()));
}

}   // namespace proxyd::admin
