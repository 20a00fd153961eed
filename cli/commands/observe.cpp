#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <sstream>
#include <thread>

#include "cli/commands/commands.h"
#include "cli/output/text.h"
#include "cli/validators.h"
#include "shared/config/decode.h"

namespace proxyd::cli {
namespace {

constexpr int kPatienceMs = 60'000;
constexpr int kSilenceMs = 400;   // statistics come each second; before them comes all that there was

struct Options {
  std::vector<std::string> kinds;
  std::string client;
  std::string reason;
  std::string level;
  std::string duration;
  bool follow = false;
};

// The text is the API's own body; `-o name` has the names of the series.
Exit metrics(const Session& session) {
  const Session::Outcome outcome = session.call({.path = "/metrics"});
  if (!outcome.ok()) return outcome.exit;
  if (session.output != "name") return print(outcome.reply.body), Exit::kOk;
  std::istringstream lines(outcome.reply.body);
  std::string names;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) names += line.substr(7, line.find(' ', 7) - 7) + "\n";
  }
  return print(names), Exit::kOk;
}

std::string rendered(const Session& session, const RestClient::Event& event) {
  const Json data = Json::parse(event.data, nullptr, false);
  if (session.output == "name") return event.kind + "\n";
  if (session.output == "json")
    return fmt::format("{{\"id\":{},\"event\":{},\"data\":{}}}\n", event.id.empty() ? "null" : event.id,
                       Json(event.kind).dump(), event.data);
  if (session.output == "yaml")
    return "---\n" + config::to_yaml(Json{{"id", event.id}, {"event", event.kind}, {"data", data}});
  std::string words;
  const Json fields = data.is_object() ? data : Json::object();
  for (const auto& [key, value] : fields.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (!text.empty()) words += fmt::format(" {}={}", key, printable(shell_word(text)));
  }
  return fmt::format("{}{}\n", session.painted(event.kind, Colour::kBold), words);
}

// Statistics come each second; a person who did not ask for them is not shown them.
bool is_wanted(const Session& session, const Options& options, const std::string& kind) {
  if (!options.kinds.empty()) return std::find(options.kinds.begin(), options.kinds.end(), kind) != options.kinds.end();
  return session.output != "table" || kind != "stats";
}

// From what the server still remembers on; a stream that ends is taken up again where it was.
Exit events(const Session& session, const Options& options) {
  std::string last = "0";
  for (;;) {
    const auto ended = RestClient(session.address, session.token)
                           .events("/api/v1/events", last, options.follow ? kPatienceMs : kSilenceMs,
                                   [&](const RestClient::Event& event) {
                                     if (!event.id.empty()) last = event.id;
                                     end_when_reader_left();
                                     if (is_wanted(session, options, event.kind)) print(rendered(session, event));
                                     return true;
                                   });
    if (!ended) return print_error(ended.error().message, ended.error().hint), ended.error().exit;
    if (!options.follow) return Exit::kOk;
  }
}

Table reject_table(const Session& session, const Json& items) {
  std::vector<Table::Column> columns = {{"TIME"}, {"FROM"}, {"PEER"}, {"REASON"}, {"AT", true}};
  columns.push_back({"FIRST LINE"});
  Table rows(std::move(columns));
  for (const Json& one : items) {
    const std::string excerpt = one.value("excerpt", "");
    const std::string line = session.wide() ? excerpt : excerpt.substr(0, excerpt.find_first_of("\r\n"));
    rows.add({text_of(one, "time"), text_of(one, "from"), text_of(one, "peer"), text_of(one, "reason"),
              text_of(one, "offset"), shell_word(line) == line ? line : "\"" + line + "\""});
  }
  return rows;
}

std::string reject_line(const Json& one) {
  const std::string excerpt = one.value("excerpt", "");
  return fmt::format("{}  {}  {}  {}  at octet {}  \"{}\"\n", text_of(one, "time"), text_of(one, "from"),
                     printable(text_of(one, "peer")), text_of(one, "reason"), text_of(one, "offset"),
                     printable(excerpt.substr(0, excerpt.find_first_of("\r\n"))));
}

// The server keeps the newest 256: what the last look did not have is new.
Exit follow_rejects(const Session& session, const std::string& path) {
  std::vector<std::string> known;
  for (;;) {
    const Session::Outcome outcome = session.get(path);
    if (!outcome.ok()) return outcome.exit;
    const Json items = outcome.items();
    std::vector<std::string> now;
    std::string out;
    for (auto item = items.rbegin(); item != items.rend(); ++item) {
      now.push_back(item->dump());
      const bool is_new = std::find(known.begin(), known.end(), now.back()) == known.end();
      if (is_new)
        out += session.output == "json"   ? now.back() + "\n"
               : session.output == "yaml" ? "---\n" + config::to_yaml(*item)
                                          : reject_line(*item);
    }
    print(out);
    end_when_reader_left();
    known = std::move(now);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

Exit rejects(const Session& session, const Options& options) {
  std::string query;
  if (!options.client.empty()) query += "client=" + encoded(options.client);
  if (!options.reason.empty()) query += (query.empty() ? "reason=" : "&reason=") + encoded(options.reason);
  const std::string path = "/api/v1/rejects" + (query.empty() ? "" : "?" + query);
  if (options.follow) return follow_rejects(session, path);
  const Session::Outcome outcome = session.get(path);
  if (session.output != "name")
    return session.show(outcome, reject_table(session, outcome.items()), "no message was refused");
  std::vector<std::string> peers;
  for (const Json& one : outcome.items()) peers.push_back(text_of(one, "peer"));
  return session.show(outcome, "", peers);
}

Exit level(const Session& session, const Options& options) {
  const bool back = options.level == "default";
  Json body{{"level", back ? Json(nullptr) : Json(options.level)}};
  if (!options.duration.empty()) body["for"] = options.duration;
  const Session::Outcome outcome = session.call({.method = "PATCH", .path = "/api/v1/logs/level", .body = body.dump()});
  if (!outcome.ok()) return outcome.exit;
  const std::string text =
      back ? "the error log's level is the document's\n"
           : fmt::format("the error log's level is {} until {}\n", options.level, text_of(outcome.json, "expires"));
  session.show(outcome, text, {options.level});
  if (!back) say("override, not in the document; undo: proxyctl logs level default");
  return Exit::kOk;
}

}   // namespace

void add_observe(CLI::App& app, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  const auto run = [&session, &exit, options](Exit (*command)(const Session&, const Options&)) {
    return [&session, &exit, options, command] { exit = command(session, *options); };
  };
  app.add_subcommand("metrics", "Prometheus text")->callback([&session, &exit] { exit = metrics(session); });
  CLI::App* command = app.add_subcommand("events", "What happened lately; with -f, what happens");
  command->add_flag("-f,--follow", options->follow, "Go on until interrupted");
  command->add_option("--kind", options->kinds, "Only these: stats, revision, target, worker …; else all but stats")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->type_name("KIND");
  command->callback(run(events));
  CLI::App* logs = app.add_subcommand("logs", "Logs")->require_subcommand(1);
  command = logs->add_subcommand("rejects", "The last messages that were refused, and why");
  command->add_flag("-f,--follow", options->follow, "Go on until interrupted");
  command->add_option("--client", options->client, "Only from this address")->type_name("ADDRESS");
  command->add_option("--reason", options->reason, "Only for this reason")->type_name("REASON");
  command->callback(run(rejects));
  command = logs->add_subcommand("level", "Another level of the error log, for now");
  command->add_option("level", options->level, "debug, info, warning or error; default: the document's again")
      ->required()
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "default"}).description(""))
      ->type_name("debug|info|warning|error|default");
  command->add_option("--for", options->duration, "Goes back by itself after this time; else after an hour")
      ->check(duration())
      ->type_name("DURATION");
  command->callback(run(level));
}

}   // namespace proxyd::cli
