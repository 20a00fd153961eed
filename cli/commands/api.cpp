#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "cli/commands/commands.h"
#include "shared/config/decode.h"

namespace proxyd::cli {
namespace {

struct Call {
  std::string method;
  std::string path;
  std::string body;
  std::vector<std::string> headers;
};

// "@FILE", "@-" for stdin, or the text itself.
Result<std::string> body_of(const std::string& given) {
  if (!given.starts_with('@')) return given;
  if (given == "@-") return std::string{std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream file(given.substr(1), std::ios::binary);
  if (!file) return Error{given.substr(1) + " cannot be read"};
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

Exit api(const Session& session, const Call& given) {
  const auto body = body_of(given.body);
  if (!body) return print_error(body.error().message), Exit::kUsage;
  RestClient::Call call{.method = given.method,
                        .path = given.path.starts_with('/') ? given.path : "/api/v1/" + given.path,
                        .body = *body,
                        .timeout_seconds = 660};
  std::transform(call.method.begin(), call.method.end(), call.method.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (!body->empty() && config::guess_format(*body) != config::Format::kJson) call.content_type = "application/yaml";
  for (const std::string& header : given.headers) {
    const size_t colon = header.find(':');
    if (colon == std::string::npos || colon == 0)
      return print_error(fmt::format("-H '{}' is no field", header), "write it as -H 'Name: value'"), Exit::kUsage;
    call.fields[header.substr(0, colon)] =
        header.substr(std::min(header.find_first_not_of(' ', colon + 1), header.size()));
  }
  const Session::Outcome outcome = session.call(call);
  const bool yaml = session.output == "yaml" && outcome.reply.is_json();
  print(yaml ? config::to_yaml(outcome.json) : outcome.reply.body);
  return outcome.exit;
}

// proxyctl's own version needs no server; the server's is said when one answers.
Exit version(const Session& session) {
  const auto reply = RestClient(session.address, session.token).call({.path = "/api/v1/status", .timeout_seconds = 5});
  const Json status = reply && reply->ok() && reply->is_json() ? reply->json() : Json();
  const Json answer{{"proxyctl", PROXYD_VERSION},
                    {"proxyd", status.is_object() ? status.value("version", Json()) : Json()}};
  const std::string server = status.is_object() ? text_of(status, "version") : "not reached at " + session.address;
  return session.show({Exit::kOk, {200, answer.dump() + "\n", "application/json", "", ""}, answer},
                      fmt::format("proxyctl {}\nproxyd   {}\n", PROXYD_VERSION, server), {PROXYD_VERSION});
}

}   // namespace

void add_api(CLI::App& app, Session& session, Exit& exit) {
  auto call = std::make_shared<Call>();
  CLI::App* command = app.add_subcommand("api", "One call of the REST API; prints the answer's body");
  command->add_option("method", call->method, "GET, PUT, PATCH, POST or DELETE")->required()->type_name("METHOD");
  command->add_option("path", call->path, "/api/v1/status, or status")->required()->type_name("PATH");
  command->add_option("-d,--data", call->body, "Its body, @FILE, or @- for stdin")->type_name("BODY");
  command->add_option("-H,--header", call->headers, "A field of it, as 'If-Match: \"r42\"'; may be given again")
      ->allow_extra_args(false)
      ->type_name("FIELD");
  command->callback([&session, &exit, call] { exit = api(session, *call); });
  app.add_subcommand("version", "Of proxyctl and of the server")->callback([&session, &exit] {
    exit = version(session);
  });
}

}   // namespace proxyd::cli
