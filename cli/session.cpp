#include "cli/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "cli/hints.h"
#include "cli/output/text.h"
#include "shared/config/decode.h"
#include "shared/config/schema.h"

namespace proxyd::cli {
namespace {

Session::Outcome failed(const CallFailure& failure) { return {failure.exit, {}, {}}; }

// A server that is no proxyd answers too.
bool is_ours(const Reply& reply, const Json& json) {
  if (!reply.ok()) return reply.content_type.starts_with("application/problem+json") && json.is_object();
  return !reply.is_json() || !json.is_discarded();
}

}   // namespace

Session::Outcome Session::attempt(const RestClient::Call& call) const {
  auto reply = RestClient(address, token).call(call);
  if (!reply) {
    print_error(reply.error().message, reply.error().hint);
    return failed(reply.error());
  }
  Json json = reply->is_json() ? reply->json() : Json();
  if (!is_ours(*reply, json)) {
    print_error(
        fmt::format("what answers at {} is no proxyd: status {}, {}", address, reply->status, reply->content_type),
        "name proxyd's admin address: --addr unix:PATH or http://HOST:PORT");
    return {Exit::kServerFailed, {}, {}};
  }
  const Exit exit = exit_of(*reply);
  return {exit, std::move(*reply), std::move(json)};
}

Session::Outcome Session::call(const RestClient::Call& call, const HintFor& hint) const {
  Outcome outcome = attempt(call);
  if (outcome.ok() || outcome.reply.status == 0) return outcome;
  for (const Json& one : outcome.json.value("errors", Json::array()))
    say(fmt::format("{}: {}", text_of(one, "pointer"), text_of(one, "message")));
  print_refusal(outcome.reply, hint ? hint(outcome.reply) : "");
  return outcome;
}

Session::Outcome Session::change(RestClient::Call wanted, const HintFor& hint) const {
  const Outcome first = attempt(wanted);
  if (first.ok() || first.reply.status == 0) return first;
  if (problem_code(first.reply) == "precondition-required") {
    const std::string own = attempt({.path = wanted.path.substr(0, wanted.path.find('?'))}).reply.etag;
    wanted.fields["If-Match"] = own.empty() ? attempt({.path = "/api/v1/config"}).reply.etag : own;
  }
  return call(wanted, hint);
}

Exit Session::show(const Outcome& outcome, const std::string& text, const std::vector<std::string>& names) const {
  if (!outcome.ok()) return outcome.exit;
  if (output == "json") {
    print(outcome.reply.body);
  } else if (output == "yaml") {
    print(config::to_yaml(outcome.json));
  } else if (output == "name") {
    std::string lines;
    for (const std::string& name : names) lines += name + "\n";
    print(lines);
  } else {
    print(text);
  }
  return Exit::kOk;
}

Exit Session::show(const Outcome& outcome, const Table& rows, const std::string& when_empty) const {
  if (!outcome.ok()) return outcome.exit;
  const bool nothing = for_people() && rows.empty();
  if (nothing) return say(when_empty), Exit::kOk;
  return show(outcome, rows.text(colour_on(), wide() ? 0 : width));
}

Exit Session::confirmed(const std::string& question) const {
  if (yes) return Exit::kOk;
  if (!::isatty(STDIN_FILENO) || !::isatty(STDERR_FILENO)) {
    print_error(question + ": nobody can be asked here", "say it with --yes");
    return Exit::kUsage;
  }
  (void)!::write(STDERR_FILENO, question.data(), question.size());
  (void)!::write(STDERR_FILENO, "? [y/N] ", 8);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return Exit::kOk;
  say("nothing was changed");
  return Exit::kNegative;
}

std::vector<std::string> Session::names_in(const Json& json) {
  std::vector<std::string> names;
  if (!json.is_object()) return names;
  const Json items = json.contains("items") ? json["items"] : Json::array({json});
  for (const Json& item : items) {
    for (const char* key : {"name", "id", "slot", "revision", "number", "count"}) {
      if (!item.contains(key) || item[key].is_structured()) continue;
      names.push_back(printable(text_of(item, key)));
      break;
    }
  }
  return names;
}

std::string problem_code(const Reply& reply) {
  const Json problem = reply.json();
  const std::string type = problem.is_object() ? problem.value("type", "") : "";
  return type.substr(type.rfind('/') + 1);
}

void print_refusal(const Reply& reply, const std::string& hint) {
  const Json problem = reply.json();
  if (!problem.is_object()) return print_error(fmt::format("the server answered {}", reply.status));
  const std::string detail = problem.value("detail", "");
  const std::string title = problem.value("title", "refused");
  const std::string cause = reply.status >= 500 && detail.empty()
                                ? fmt::format("{} (request {})", title, problem.value("request_id", "-"))
                            : detail.empty() ? title
                                             : detail;
  print_error(cause, hint.empty() ? hint_for(problem_code(reply)) : hint);
}

std::string meant(const Session& session, const std::string& list_path, const char* key, const std::string& wrong,
                  const std::string& list_command) {
  const auto reply = RestClient(session.address, session.token).call({.path = list_path});
  const Json json = reply && reply->ok() ? reply->json() : Json();
  const std::string all = list_command + " shows what there is";
  if (!json.is_object()) return all;
  std::vector<std::string> names;
  for (const char* list : {"items", "targets"}) {
    for (const Json& item : json.value(list, Json::array())) names.push_back(text_of(item, key));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view nearest = config::nearest(wrong, views);
  return nearest.empty() ? all : fmt::format("did you mean '{}'? {}", nearest, all);
}

std::string text_of(const Json& json, const char* key) {
  if (!json.is_object()) return "-";
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return "-";
  return printable(found->is_string() ? found->get<std::string>() : found->dump());
}

}   // namespace proxyd::cli
