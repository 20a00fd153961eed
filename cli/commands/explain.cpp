#include <fmt/format.h>

#include <memory>

#include "cli/commands/asked_request.h"
#include "cli/commands/commands.h"
#include "cli/documents.h"
#include "cli/output/text.h"
#include "shared/config/decode.h"

namespace proxyd::cli {
namespace {

struct Question {
  AskedRequest request;
  std::string client = "127.0.0.1";
  std::string listener;
  std::string file;
  uint64_t revision = 0;
};

std::string line(const std::string& name, const std::string& text) {
  return fmt::format("{:<10}{}\n", name, printable(text));
}

std::string render_targets(const Session& session, const Json& forward) {
  std::string out = line("upstream", fmt::format("{} ({})", text_of(forward, "upstream"), text_of(forward, "balance")));
  Table rows({{"  TARGET"}, {"STATE", false, true}, {"WEIGHT", true}, {"IN FLIGHT", true}, {"ELIGIBLE"}});
  for (const Json& target : forward.value("targets", Json::array())) {
    rows.add({"  " + text_of(target, "id"), text_of(target, "state"), text_of(target, "weight"),
              text_of(target, "in_flight"), target.value("eligible", false) ? "yes" : "no"});
  }
  return out +
         (rows.empty() ? "  it has no target\n" : rows.text(session.colour_on(), session.wide() ? 0 : session.width));
}

std::string render(const Session& session, const Json& answer) {
  std::string out = line("revision", text_of(answer, "revision")) + line("listener", text_of(answer, "listener")) +
                    line("host", text_of(answer, "host")) + line("path", text_of(answer, "path"));
  for (const Json& one : answer.value("candidates", Json::array())) {
    const bool matched = one.value("matched", false);
    out += fmt::format(
        "  {} {}  ({}){}\n", session.painted(matched ? "✓" : "✗", matched ? Colour::kGreen : Colour::kRed),
        text_of(one, "route"), text_of(one, "rank"), one.contains("why_not") ? ": " + text_of(one, "why_not") : "");
  }
  out += line("route", text_of(answer, "route"));
  if (answer.contains("result")) out += line("answer", text_of(answer, "result"));
  for (const Json& one : answer.value("auth", Json::array())) {
    for (const auto& [kind, settings] : one.items())
      out += line("auth", fmt::format("{} {}", kind, text_of(settings, kind == "basic" ? "realm" : "jwks_file")));
  }
  const Json action = answer.value("action", Json::object());
  for (const Json& step : action.value("access", Json::array())) {
    const std::string why = step["network"].is_null() ? "in neither list" : text_of(step, "network");
    out += line("access", fmt::format("{}: {} ({})", text_of(step, "list"),
                                      step.value("allowed", false) ? "allowed" : "denied", why));
  }
  if (action.contains("requests_at_once"))
    out += line("at once", text_of(action, "requests_at_once") + " requests of one client");
  for (const Json& step : action.value("rate_limits", Json::array())) {
    const std::string by = step["counted_by"].is_null() ? "not counted" : "by " + text_of(step, "counted_by");
    out += line("rate", fmt::format("{}: {}, {} at once, count {}, {}", text_of(step, "limit"), by,
                                    text_of(step, "requests"), text_of(step, "count"), text_of(step, "mode")));
  }
  if (action.contains("refused")) out += line("answer", text_of(action, "refused"));
  if (action.contains("path")) out += line("rewritten", text_of(action, "path"));
  const Json cache = action.value("cache", Json::object());
  if (cache.contains("policy") && !cache["policy"].is_null()) {
    std::string key = text_of(cache, "url");
    for (const Json& part : cache.value("key", Json::array())) key += " " + part.get<std::string>();
    const bool bypassed = !cache["reason"].is_null();
    out += line("cache", fmt::format("{}, {}", text_of(cache, "policy"),
                                     bypassed ? "bypassed: " + text_of(cache, "reason") : "key " + key));
  }
  if (action.contains("redirect"))
    out += line("redirect",
                fmt::format("{} {}", text_of(action["redirect"], "status"), text_of(action["redirect"], "location")));
  if (action.contains("respond")) out += line("respond", text_of(action["respond"], "status"));
  if (action.contains("ready")) out += line("answer", "200 when this server is ready, else 503");
  if (action.contains("split_by")) out += line("split by", text_of(action, "split_by"));
  return action.contains("forward") ? out + render_targets(session, action["forward"]) : out;
}

Exit explain(const Session& session, const Question& question) {
  std::optional<Json> asked = question.request.json();
  if (!asked) return Exit::kUsage;
  Json& body = *asked;
  body["client"] = question.client;
  if (!question.listener.empty()) body["listener"] = question.listener;
  if (question.revision != 0) body["revision"] = question.revision;
  if (!question.file.empty()) {
    const auto documents = Documents::read(question.file);
    if (!documents) return print_error(documents.error().message), Exit::kUsage;
    const Documents::Composed composed = documents->composed(false);
    const Json errors = composed.errors.empty() ? to_json(config::decode(composed.json).problems) : composed.errors;
    if (!errors.empty()) return documents->print_errors(errors), Exit::kInvalid;
    body["document"] = composed.json;
  }
  const Session::Outcome outcome = session.call({.method = "POST", .path = "/api/v1/explain", .body = body.dump()});
  return session.show(outcome, outcome.ok() ? render(session, outcome.json) : "",
                      {outcome.ok() ? text_of(outcome.json, "route") : ""});
}

}   // namespace

void add_explain(CLI::App& app, Session& session, Exit& exit) {
  auto question = std::make_shared<Question>();
  CLI::App* command =
      app.add_subcommand("explain", "What would happen to a request, step by step, by a worker's own matcher");
  question->request.add_options(*command);
  command->add_option("--client", question->client, "The client's address")
      ->type_name("ADDRESS")
      ->capture_default_str();
  command->add_option("--listener", question->listener, "The listener it comes in by; else the first")
      ->type_name("NAME");
  CLI::Option* revision = command->add_option("--revision", question->revision, "By that revision")
                              ->check(CLI::Validator(CLI::PositiveNumber).description(""))
                              ->type_name("N");
  command->add_option("-f,--file", question->file, "By a file, a folder of files, or - for stdin")
      ->type_name("FILE|DIR|-")
      ->excludes(revision);
  command->callback([&session, &exit, question] { exit = explain(session, *question); });
}

}   // namespace proxyd::cli
