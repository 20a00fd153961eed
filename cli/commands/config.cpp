#include <fmt/format.h>

#include <memory>

#include "cli/changes.h"
#include "cli/commands/commands.h"
#include "cli/documents.h"
#include "shared/config/decode.h"

namespace proxyd::cli {
namespace {

struct Options {
  std::string file;
  std::string message;
  std::string before;
  std::vector<uint64_t> revisions;
  uint64_t revision = 0;
  int limit = 50;
  bool offline = false;
  bool dry_run = false;
};

std::string no_revision(const Session& session, uint64_t number) {
  return meant(session, "/api/v1/revisions?limit=200", "revision", std::to_string(number), "proxyctl config history");
}

// A document, or documents of a folder taken as one, as the body of a question about it.
struct Asked {
  Exit exit = Exit::kOk;
  Session::Outcome outcome;
};

Asked ask_about(const Session& session, const Documents& documents, const std::string& path) {
  RestClient::Call call{.method = "POST", .path = path};
  if (documents.is_one_text()) {
    call.body = documents.text();
    call.content_type = documents.content_type();
  } else {
    const Documents::Composed composed = documents.composed(false);
    if (!composed.errors.empty()) return documents.print_errors(composed.errors), Asked{Exit::kInvalid, {}};
    call.body = composed.json.dump();
  }
  Session::Outcome outcome = session.attempt(call);
  if (outcome.ok() || outcome.reply.status == 0) return {outcome.exit, std::move(outcome)};
  const Json errors = outcome.json.value("errors", Json::array());
  errors.empty() ? print_refusal(outcome.reply)
                 : documents.print_errors(documents.is_one_text() ? errors : without_places(errors));
  return {outcome.exit, std::move(outcome)};
}

Exit diff(const Session& session, const Options& options) {
  Session::Outcome outcome;
  if (!options.file.empty()) {
    const auto documents = Documents::read(options.file);
    if (!documents) return print_error(documents.error().message), Exit::kUsage;
    Asked asked = ask_about(session, *documents, "/api/v1/config:diff");
    if (asked.exit != Exit::kOk) return asked.exit;
    outcome = std::move(asked.outcome);
    documents->print_warnings(outcome.json.value("warnings", Json::array()));
  } else if (!options.revisions.empty()) {
    const std::string to = options.revisions.size() > 1 ? fmt::format("?to={}", options.revisions[1]) : "";
    outcome = session.get(fmt::format("/api/v1/revisions/{}/diff{}", options.revisions[0], to),
                          [&](const Reply&) { return no_revision(session, options.revisions.back()); });
  } else {
    return print_error("diff of what?", "proxyctl diff -f FILE, or proxyctl diff REV [REV]"), Exit::kUsage;
  }
  if (!outcome.ok()) return outcome.exit;
  const Json changes = outcome.json.value("changes", Json::array());
  std::vector<std::string> pointers;
  for (const Json& change : changes) pointers.push_back(text_of(change, "pointer"));
  session.show(outcome, changes.empty() ? "no differences\n" : render_changes(changes, session.colour_on()), pointers);
  return changes.empty() ? Exit::kOk : Exit::kNegative;
}

// JSON is the API's body; everything else is YAML under the line that `apply` takes for its base.
Exit export_document(const Session& session, const Options& options) {
  const bool json = session.output == "json";
  const std::string format = json ? "" : "?format=yaml";
  const std::string path =
      options.revision == 0 ? "/api/v1/config" : fmt::format("/api/v1/revisions/{}", options.revision);
  const Session::Outcome outcome = session.get(path + format, [&](const Reply&) {
    return options.revision == 0 ? std::string("there is none yet: proxyctl apply -f FILE")
                                 : no_revision(session, options.revision);
  });
  if (!outcome.ok()) return outcome.exit;
  const std::string& tag = outcome.reply.etag;   // "r42", "r42-yaml"
  const std::string number = options.revision != 0 ? std::to_string(options.revision)
                             : tag.size() > 3      ? tag.substr(2, tag.find_first_not_of("0123456789", 2) - 2)
                                                   : "0";
  if (session.output == "name") return print(number + "\n"), Exit::kOk;
  print(json ? outcome.reply.body : fmt::format("# proxyd revision {}\n{}", number, outcome.reply.body));
  return Exit::kOk;
}

Exit validate_here(const Session& session, const Documents& documents) {
  Json errors = Json::array();
  Json warnings = Json::array();
  if (documents.is_one_text()) {
    const config::Decoded decoded = documents.decoded();
    errors = to_json(decoded.problems);
    warnings = to_json(decoded.warnings);
  } else {
    const Documents::Composed composed = documents.composed(false);
    errors = composed.errors;
    if (errors.empty()) {
      const config::Decoded decoded = config::decode(composed.json);
      errors = to_json(decoded.problems);
      warnings = to_json(decoded.warnings);
    }
  }
  if (!errors.empty()) return documents.print_errors(errors), Exit::kInvalid;
  documents.print_warnings(warnings);
  const Json answer{{"valid", true}, {"warnings", warnings}};
  return session.show({Exit::kOk, {200, answer.dump() + "\n", "application/json", "", ""}, answer}, "valid\n", {});
}

Exit validate(const Session& session, const Options& options) {
  const auto documents = Documents::read(options.file);
  if (!documents) return print_error(documents.error().message), Exit::kUsage;
  if (options.offline) return validate_here(session, *documents);
  const Asked asked = ask_about(session, *documents, "/api/v1/config:validate");
  if (asked.exit == Exit::kUnreachable) print_hint("or check it here: proxyctl config validate --offline -f FILE");
  if (asked.exit != Exit::kOk) return asked.exit;
  documents->print_warnings(asked.outcome.json.value("warnings", Json::array()));
  return session.show(asked.outcome, "valid\n", {});
}

Exit history(const Session& session, const Options& options) {
  const std::string before = options.before.empty() ? "" : "&cursor=" + encoded(options.before);
  const Session::Outcome outcome = session.get(fmt::format("/api/v1/revisions?limit={}{}", options.limit, before));
  Table rows({{"REVISION", true}, {"", false}, {"CREATED"}, {"AUTHOR"}, {"ORIGIN"}, {"MESSAGE"}});
  for (const Json& one : outcome.items()) {
    const bool active = one.value("active", false);
    rows.add({text_of(one, "revision"), active ? "active" : "", text_of(one, "created"), text_of(one, "author"),
              text_of(one, "origin"), text_of(one, "message")});
  }
  const Exit exit = session.show(outcome, rows, "there are no revisions yet: proxyctl apply -f FILE");
  const std::string next = outcome.ok() ? text_of(outcome.json, "next_cursor") : "-";
  if (session.for_people() && next != "-") say("older ones: proxyctl config history --before " + next);
  return exit;
}

Exit show(const Session& session, const Options& options) {
  uint64_t number = options.revision;
  if (number == 0) {
    const Session::Outcome status = session.get("/api/v1/status");
    if (!status.ok()) return status.exit;
    const Json active = status.json.value("revision", Json());
    if (!active.is_object())
      return print_error("there is no configuration yet", "proxyctl apply -f FILE"), Exit::kNotFound;
    number = active.value("revision", uint64_t{0});
  }
  const Session::Outcome outcome = session.get(fmt::format("/api/v1/revisions/{}", number),
                                               [&](const Reply&) { return no_revision(session, number); });
  if (!outcome.ok()) return outcome.exit;
  const std::string message = text_of(outcome.json, "message");
  const std::string head =
      fmt::format("# revision {}{}, by {} at {} ({}){}\n", text_of(outcome.json, "revision"),
                  outcome.json.value("active", false) ? ", active" : "", text_of(outcome.json, "author"),
                  text_of(outcome.json, "created"), text_of(outcome.json, "origin"),
                  message.empty() || message == "-" ? "" : ": " + message);
  return session.show(outcome, head + config::to_yaml(outcome.json.value("document", Json::object())));
}

Exit rollback(const Session& session, const Options& options) {
  const std::string dry = options.dry_run ? "&dry_run=true" : "";
  const std::string message =
      options.message.empty() ? fmt::format("rollback to revision {}", options.revision) : options.message;
  const Session::Outcome outcome = session.change(
      {.method = "POST",
       .path = fmt::format("/api/v1/revisions/{}:activate?message={}{}", options.revision, encoded(message), dry),
       .timeout_seconds = 60},
      [&](const Reply& reply) { return reply.status == 404 ? no_revision(session, options.revision) : std::string(); });
  if (!outcome.ok()) return outcome.exit;
  const Json changes = outcome.json.value("changes", Json::array());
  const std::string done =
      options.dry_run ? ""
                      : fmt::format("revision {} is active on {} of {} workers\n", text_of(outcome.json, "revision"),
                                    text_of(outcome.json, "acknowledged"), text_of(outcome.json, "workers"));
  session.show(outcome, changes.empty() ? "no changes\n" : render_changes(changes, session.colour_on()) + done);
  return options.dry_run && !changes.empty() ? Exit::kNegative : Exit::kOk;
}

Exit schema(const Session& session) {
  const Json json = Json::parse(config::json_schema().dump());
  const std::string text = json.dump(2) + "\n";
  return session.show({Exit::kOk, {200, text, "application/schema+json", "", ""}, json}, text, {});
}

}   // namespace

void add_config(CLI::App& app, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  const auto run = [&session, &exit, options](Exit (*command)(const Session&, const Options&)) {
    return [&session, &exit, options, command] { exit = command(session, *options); };
  };
  CLI::App* command = app.add_subcommand(
      "diff", "What a file, or one revision against another, would change; exit 1 when there are differences");
  CLI::Option* file = command->add_option("-f,--file", options->file, "A file, a folder of files, or - for stdin")
                          ->type_name("FILE|DIR|-");
  command->add_option("revisions", options->revisions, "From this revision, to that one or the active one")
      ->expected(0, 2)
      ->type_name("REV")
      ->excludes(file);
  command->callback(run(diff));
  command = app.add_subcommand("export", "The document as YAML, for editing and applying again");
  command->add_option("--revision", options->revision, "Another than the active one")
      ->type_name("N")
      ->check(CLI::Validator(CLI::PositiveNumber).description(""));
  command->callback(run(export_document));
  CLI::App* config = app.add_subcommand("config", "Documents and revisions")->require_subcommand(1);
  command = config->add_subcommand("validate", "Check a file: exit 0 or 7");
  command->add_option("-f,--file", options->file, "A file, a folder of files, or - for stdin")
      ->required()
      ->type_name("FILE|DIR|-");
  command->add_flag("--offline", options->offline, "Here, without a server");
  command->callback(run(validate));
  command = config->add_subcommand("history", "Revisions, newest first");
  command->add_option("--limit", options->limit, "How many")
      ->type_name("N")
      ->check(CLI::Range(1, 200).description(""))
      ->capture_default_str();
  command->add_option("--before", options->before, "What came before: as the last page said")->type_name("CURSOR");
  command->callback(run(history));
  command = config->add_subcommand("show", "One revision: who, when, why, and its document");
  command->add_option("revision", options->revision, "Another than the active one")
      ->type_name("REV")
      ->check(CLI::Validator(CLI::PositiveNumber).description(""));
  command->callback(run(show));
  command = config->add_subcommand("rollback", "Make a new revision that is equal to an old one");
  command->add_option("revision", options->revision, "The old one")
      ->required()
      ->type_name("REV")
      ->check(CLI::Validator(CLI::PositiveNumber).description(""));
  command->add_option("-m,--message", options->message, "Why, for the history")->type_name("TEXT");
  command->add_flag("--dry-run", options->dry_run,
                    "Show what would change and change nothing; exit 1 when something would");
  command->callback(run(rollback));
  config->add_subcommand("schema", "JSON Schema of the document")->callback([&session, &exit] {
    exit = schema(session);
  });
}

}   // namespace proxyd::cli
