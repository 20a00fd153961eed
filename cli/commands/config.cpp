#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "cli/commands/commands.h"
#include "shared/config/decode.h"

namespace proxyd::cli {
namespace {

constexpr std::string_view kRevisionLine = "# proxyd revision ";

struct Options {
  std::string file;
  std::string message;
  std::string base;
  std::string format = "yaml";
  std::vector<uint64_t> revisions;
  uint64_t revision = 0;
  bool dry_run = false;
  bool merge = false;
  bool overwrite = false;
  bool offline = false;
};

// The text of a file, of "-", or nothing.
std::optional<std::string> read_text(const std::string& file) {
  if (file == "-") return std::string{std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file)) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

std::string content_type(const std::string& text) {
  return config::guess_format(text) == config::Format::kJson ? "application/json" : "application/yaml";
}

std::string render_changes(const Json& reply) {
  std::string out;
  for (const Json& change : reply.value("changes", Json::array())) {
    const std::string op = change.value("op", "");
    const std::string sign = op == "add" ? "+" : op == "remove" ? "-" : "~";
    const std::string what = op == "add" ? change["to"].dump() : op == "remove" ? change["from"].dump() : change["from"].dump() + " → " + change["to"].dump();
    out += fmt::format("{} {} {}  ({})\n", sign, change.value("pointer", ""), what, change.value("class", ""));
  }
  for (const Json& warning : reply.value("warnings", Json::array())) out += fmt::format("warning: {}: {}\n", warning.value("pointer", ""), warning.value("message", ""));
  return out;
}

// The base of a file that was exported: "# proxyd revision N" is its first line.
std::string base_of(const std::string& text) {
  if (!text.starts_with(kRevisionLine)) return {};
  return text.substr(kRevisionLine.size(), text.find('\n') - kRevisionLine.size());
}

// Losing most of what there is wants a person's word.
bool removals_confirmed(const Session& session, const Json& plan, const Json& document) {
  size_t removed_hosts = 0, removed_upstreams = 0;
  bool no_listener = false;
  for (const Json& change : plan.value("changes", Json::array())) {
    if (change.value("op", "") != "remove") continue;
    const std::string pointer = change.value("pointer", "");
    std::fprintf(stderr, "removes %s\n", pointer.c_str());
    const auto entries = [&change] { return change["from"].is_object() ? change["from"].size() : size_t{1}; };
    if (pointer == "/hosts") removed_hosts += entries();
    if (pointer == "/upstreams") removed_upstreams += entries();
    if (pointer.starts_with("/hosts/") && std::count(pointer.begin(), pointer.end(), '/') == 2) ++removed_hosts;
    if (pointer.starts_with("/upstreams/") && std::count(pointer.begin(), pointer.end(), '/') == 2) ++removed_upstreams;
    no_listener = no_listener || pointer == "/listeners";
  }
  const bool most = removed_hosts * 2 > document.value("hosts", Json::object()).size() || removed_upstreams * 2 > document.value("upstreams", Json::object()).size();
  if (!most && !no_listener) return true;
  return session.confirmed(no_listener ? "this leaves no listener; apply" : "this removes more than half of the hosts or upstreams; apply");
}

Exit apply(const Session& session, const Options& options) {
  const auto text = read_text(options.file);
  if (!text) return print_error(options.file + " cannot be read"), Exit::kUsage;
  RestClient::Call call{options.merge ? "PATCH" : "PUT", "/api/v1/config", *text, content_type(*text), {}, 60};
  if (options.merge && call.content_type != "application/json") {
    const config::Decoded decoded = config::decode(*text, config::Format::kYaml);
    if (!decoded.syntax_ok) return print_error(decoded.problems.front().message), Exit::kInvalid;
    if (!decoded.valid()) return print_error("--merge takes a file that is a document by itself: " + decoded.problems.front().message), Exit::kInvalid;
    call.body = decoded.canonical.dump();
  }
  if (options.merge) call.content_type = "application/merge-patch+json";
  const std::string base = options.base.empty() ? base_of(*text) : options.base;
  if (!base.empty() && !options.overwrite) call.fields["If-Match"] = fmt::format("\"r{}\"", base);
  const std::string query = options.message.empty() ? "?" : fmt::format("?message={}&", encoded(options.message));
  RestClient::Call plan_call = call;
  plan_call.path += query + "dry_run=true";
  const auto plan = session.client().call(plan_call);
  if (!plan) return print_error(plan.error().message), Exit::kUnreachable;
  if (!plan->ok()) return print_problem(*plan, options.file), exit_of(*plan);
  const Json planned = plan->json();
  if (options.dry_run) {
    session.show({Exit::kOk, *plan}, render_changes(planned));
    return planned.value("changes", Json::array()).empty() ? Exit::kOk : Exit::kNegative;
  }
  const Session::Outcome current = planned.value("parent", 0) == 0 ? Session::Outcome{} : session.get("/api/v1/config");
  if (current.reply.ok() && !removals_confirmed(session, planned, current.reply.json())) return Exit::kUsage;
  call.path += query.substr(0, query.size() - 1);
  const auto reply = session.client().call(call);
  if (!reply) return print_error(reply.error().message), Exit::kUnreachable;
  if (!reply->ok()) return print_problem(*reply, options.file), exit_of(*reply);
  const Json applied = reply->json();
  const bool nothing = applied.value("changes", Json::array()).empty();
  return session.show({Exit::kOk, *reply}, nothing ? "no changes\n" : render_changes(applied) + fmt::format("revision {} is active on {} of {} workers\n", text_of(applied, "revision"), text_of(applied, "acknowledged"), text_of(applied, "workers")));
}

Exit diff(const Session& session, const Options& options) {
  Session::Outcome outcome;
  if (!options.file.empty()) {
    const auto text = read_text(options.file);
    if (!text) return print_error(options.file + " cannot be read"), Exit::kUsage;
    const auto reply = session.client().call({"POST", "/api/v1/config:diff", *text, content_type(*text), {}, 30});
    if (!reply) return print_error(reply.error().message), Exit::kUnreachable;
    if (!reply->ok()) return print_problem(*reply, options.file), exit_of(*reply);
    outcome = {Exit::kOk, *reply};
  } else if (!options.revisions.empty()) {
    const std::string to = options.revisions.size() > 1 ? fmt::format("?to={}", options.revisions[1]) : "";
    outcome = session.get(fmt::format("/api/v1/revisions/{}/diff{}", options.revisions[0], to));
  } else {
    return print_error("diff what?", "proxyctl diff -f FILE, or proxyctl diff REV [REV]"), Exit::kUsage;
  }
  if (!outcome.ok()) return outcome.exit;
  const Json json = outcome.reply.json();
  session.show(outcome, render_changes(json));
  return json.value("changes", Json::array()).empty() ? Exit::kOk : Exit::kNegative;
}

Exit export_document(const Session& session, const Options& options) {
  const std::string path = options.revision == 0 ? "/api/v1/config?format=yaml" : fmt::format("/api/v1/revisions/{}?format=yaml", options.revision);
  const Session::Outcome outcome = session.get(path);
  if (!outcome.ok()) return outcome.exit;
  const std::string number = options.revision != 0 ? std::to_string(options.revision) : outcome.reply.etag.size() > 3 ? outcome.reply.etag.substr(2, outcome.reply.etag.size() - 3) : "0";
  std::cout << kRevisionLine << number << "\n" << outcome.reply.body;
  return Exit::kOk;
}

Exit validate(const Session& session, const Options& options) {
  const auto text = read_text(options.file);
  if (!text) return print_error(options.file + " cannot be read"), Exit::kUsage;
  if (!options.offline) {
    const auto reply = session.client().call({"POST", "/api/v1/config:validate", *text, content_type(*text), {}, 30});
    if (!reply) return print_error(reply.error().message, "or check it here: --offline"), Exit::kUnreachable;
    if (!reply->ok()) return print_problem(*reply, options.file), exit_of(*reply);
    return session.show({Exit::kOk, *reply}, "valid\n");
  }
  const config::Decoded decoded = config::decode(*text, config::guess_format(*text));
  for (const config::Problem& problem : decoded.problems) {
    std::fprintf(stderr, "%s:%d:%d: %s: %s%s\n", options.file.c_str(), problem.line, problem.column, problem.pointer.c_str(), problem.message.c_str(), problem.suggestion.empty() ? "" : (" (" + problem.suggestion + ")").c_str());
  }
  if (decoded.valid()) std::cout << "valid\n";
  return decoded.valid() ? Exit::kOk : Exit::kInvalid;
}

Exit history(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/revisions");
  std::vector<std::vector<std::string>> rows = {{"REVISION", "CREATED", "AUTHOR", "ORIGIN", "MESSAGE"}};
  for (const Json& one : outcome.ok() ? outcome.reply.json().value("items", Json::array()) : Json::array()) {
    rows.push_back({text_of(one, "revision") + (one.value("active", false) ? "*" : ""), text_of(one, "created"), text_of(one, "author"), text_of(one, "origin"), text_of(one, "message")});
  }
  return session.show(outcome, table(rows));
}

Exit rollback(const Session& session, const Options& options) {
  const Session::Outcome outcome = session.call({"POST", fmt::format("/api/v1/revisions/{}:activate", options.revision), "", "application/json", {}, 60});
  if (!outcome.ok()) return outcome.exit;
  const Json json = outcome.reply.json();
  return session.show(outcome, render_changes(json) + fmt::format("revision {} is active\n", text_of(json, "revision")));
}

}  // namespace

void add_config(CLI::App& app, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  const auto run = [&session, &exit, options](Exit (*command)(const Session&, const Options&)) {
    return [&session, &exit, options, command] { exit = command(session, *options); };
  };
  CLI::App* command = app.add_subcommand("apply", "Make the document equal to a file");
  command->add_option("-f,--file", options->file, "File, or -")->required();
  command->add_flag("--dry-run", options->dry_run, "Show the plan; exit 1 when there are changes");
  command->add_flag("--merge", options->merge, "Change only what the file names");
  command->add_option("-m,--message", options->message, "Why");
  command->add_option("--base-revision", options->base, "Refuse when another revision is active");
  command->add_flag("--overwrite", options->overwrite, "Whatever is active");
  command->add_flag("--yes", session.yes, "Do not ask");
  command->callback(run(apply));
  command = app.add_subcommand("diff", "What a file, or another revision, would change; exit 1 when there are differences");
  command->add_option("-f,--file", options->file, "File, or -");
  command->add_option("revisions", options->revisions, "One or two revisions")->expected(0, 2);
  command->callback(run(diff));
  command = app.add_subcommand("export", "The document as YAML");
  command->add_option("--revision", options->revision, "Another than the active one");
  command->callback(run(export_document));
  CLI::App* config = app.add_subcommand("config", "Documents and revisions")->require_subcommand(1);
  command = config->add_subcommand("validate", "Check a file");
  command->add_option("-f,--file", options->file, "File, or -")->required();
  command->add_flag("--offline", options->offline, "Without a server");
  command->callback(run(validate));
  config->add_subcommand("history", "Revisions")->callback([&session, &exit] { exit = history(session); });
  command = config->add_subcommand("show", "One revision");
  command->add_option("revision", options->revision)->required();
  command->callback(run(export_document));
  command = config->add_subcommand("rollback", "Make an old revision the newest");
  command->add_option("revision", options->revision)->required();
  command->callback(run(rollback));
  config->add_subcommand("schema", "JSON Schema of the document")->callback([&exit] {
    std::cout << config::json_schema().dump(2) << "\n";
    exit = Exit::kOk;
  });
}

}  // namespace proxyd::cli
