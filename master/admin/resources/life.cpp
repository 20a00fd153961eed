#include <fmt/format.h>

#include "master/admin/body_fields.h"
#include "master/admin/change.h"
#include "master/admin/resources/handlers.h"
#include "master/document_file.h"
#include "shared/config/units.h"

namespace proxyd::admin {
namespace {

constexpr milliseconds kLongestGrace = std::chrono::hours(24);

AdminAnswer refusal_of(const master::DocumentError& error) {
  if (error.refused) return failure_answer(*error.refused);
  if (error.problems.empty()) return invalid("", "file", error.message);
  return problem("invalid", error.message, {{"errors", problems_json(error.problems)}});
}

// What a reload would do to the document, where a file is its source, and whether the certificates can be read.
AdminAnswer rehearse_reload(const AdminRequest& request, Context& context) {
  const master::Bootstrap& bootstrap = context.master.bootstrap();
  const auto active = context.master.configuration().active();
  for (const auto& [name, certificate] : active ? active->certificates : master::Certificates()) {
    const auto readable = context.master.configuration().reload_certificate(name, true);
    if (!readable) return failure_answer(readable.error());
  }
  if (bootstrap.config_source != "file") return json_answer({{"reloaded", false}, {"dry_run", true}});
  auto read = master::read_document_file(bootstrap.config_file);
  if (!read) return refusal_of(read.error());
  master::Configuration::Request wanted;
  wanted.decoded = std::move(read->decoded);
  wanted.author = request.identity.name;
  wanted.dry_run = true;
  const auto tried = context.master.configuration().apply(std::move(wanted));
  if (!tried) return failure_answer(tried.error());
  Json changes = Json::array();
  for (const config::Change& one : tried->changes) changes.push_back(change_json(one));
  return json_answer({{"reloaded", false}, {"dry_run", true}, {"changes", std::move(changes)}});
}

}   // namespace

AdminAnswer post_reload(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  if (auto refused = BodyFields(body.json).refusal()) return *refused;
  if (request.dry_run()) return rehearse_reload(request, context);
  const auto reloaded = context.master.reload();
  if (!reloaded) return refusal_of(reloaded.error());
  return json_answer({{"reloaded", true}});
}

// The operation ends with the process.
AdminAnswer post_shutdown(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  BodyFields fields(body.json);
  const milliseconds grace =
      fields.duration("grace", milliseconds(0), kLongestGrace).value_or(context.master.bootstrap().shutdown_grace);
  if (auto refused = fields.refusal()) return *refused;
  const Json said{{"stopping", true}, {"grace", config::format_duration(grace.count())}};
  if (request.dry_run()) return json_answer(said);
  const auto number = context.operations.start("shutdown", "proxyd", request.identity.name,
                                               [said, grace](const Operations::Control& control) -> Operations::Ending {
                                                 (void)control.wait(grace + std::chrono::hours(1));
                                                 return {Operations::State::kDone, json_answer(said)};
                                               });
  context.master.shut_down(grace);   // after its operation, which the end of the master would not let begin
  return number ? answer_for(context.operations, *number, milliseconds(0), said) : json_answer(said, 202);
}

}   // namespace proxyd::admin
