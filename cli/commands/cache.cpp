#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "cli/commands/asked_request.h"
#include "cli/commands/commands.h"
#include "cli/output/text.h"

namespace proxyd::cli {
namespace {

constexpr const char* kPurges = "/api/v1/cache/purges";

struct Options {
  std::vector<std::string> urls;
  std::vector<std::string> tags;
  std::vector<std::string> prefixes;
  std::vector<std::string> hosts;
  AskedRequest request;
  std::string host;
  std::string prefix;
  std::string tag;
  std::string limit = "50";
  std::string reason;
  std::string cursor;
  bool all = false;
  bool soft = false;
};

std::string size_of(const Json& json, const char* key) {
  const uint64_t octets = json.value(key, uint64_t{0});
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  auto amount = static_cast<double>(octets);
  for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) amount /= 1024;
  return unit == 0 ? fmt::format("{} B", octets) : fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string percentage(const Json& share) {
  return share.is_number() ? fmt::format("{:.1f} %", share.get<double>() * 100) : "-";
}

std::string line(const char* name, const std::string& text) { return fmt::format("{:<14}{}\n", name, text); }

// The words with the most first.
std::string most_of(const Json& counts, size_t most) {
  std::vector<std::pair<uint64_t, std::string>> sorted;
  for (const auto& [word, count] : counts.items()) sorted.emplace_back(count.get<uint64_t>(), word);
  std::sort(sorted.rbegin(), sorted.rend());
  std::string out;
  for (size_t i = 0; i < sorted.size() && i < most; ++i)
    out += fmt::format("{}{} {}", i == 0 ? "" : ", ", sorted[i].second, sorted[i].first);
  return out.empty() ? "-" : out;
}

Exit stats(const Session& session) {
  const Session::Outcome outcome = session.get("/api/v1/cache");
  if (!outcome.ok()) return outcome.exit;
  const Json& cache = outcome.json;
  const Json ratio = cache.value("hit_ratio", Json::object());
  const Json none = Json::object();
  std::string text = line("objects", text_of(cache, "objects"));
  text += line("memory", fmt::format("{} of {}, ceiling {}", size_of(cache, "bytes"), size_of(cache, "capacity"),
                                     size_of(cache, "ceiling")));
  text += line("hit ratio", fmt::format("{} of requests, {} of bytes", percentage(ratio.value("requests", Json())),
                                        percentage(ratio.value("bytes", Json()))));
  text += line("results", most_of(cache.value("results", none), 8));
  text += line("reasons", most_of(cache.value("reasons", none), 6));
  text += line("gone", fmt::format("{} evicted, {} expired, {} purged", text_of(cache, "evicted"),
                                   text_of(cache, "expired"), text_of(cache, "purged")));
  const Json purges = cache.value("purges", none);
  text += line("purges", fmt::format("{}, {} of their stamps in use, {} bans", text_of(purges, "sequence"),
                                     percentage(purges.value("stamps_in_use", Json())), text_of(purges, "bans")));
  return session.show(outcome, text, {});
}

// "/[0-9]+$ of www.example.com"; of tags all their expressions.
std::string banned(const Json& ban) {
  const auto joined = [&ban](const char* key) {
    std::string out;
    for (const Json& one : ban.value(key, Json::array())) out += (out.empty() ? "" : ", ") + one.get<std::string>();
    return out;
  };
  const std::string what = ban.contains("paths") ? text_of(ban, "paths") : "tags " + joined("tags");
  return fmt::format("{} of {}", what, joined("hosts"));
}

// "2 tags, 1 host"
std::string told(const Json& purge) {
  std::string out;
  const auto add = [&](const char* key, const char* one, const char* many) {
    const Json list = purge.value(key, Json::array());
    const size_t count = purge.value(std::string(key) + "_count", list.size());
    if (count == 1) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", one, list[0].get<std::string>());
    if (count > 1) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, many);
  };
  if (purge.value("all", false)) out = "everything";
  add("urls", "URL", "URLs");
  add("tags", "tag", "tags");
  add("prefixes", "prefix", "prefixes");
  add("hosts", "host", "hosts");
  if (purge.contains("ban")) out += fmt::format("{}ban {}", out.empty() ? "" : ", ", banned(purge["ban"]));
  return out;
}

std::string url_and_key(const Json& one) {
  std::string out = text_of(one, "url");
  for (const Json& part : one.value("key", Json::array())) out += " " + part.get<std::string>();
  return printable(out);
}

std::string lasts(const Json& one) {
  if (one.contains("fresh_for")) return "fresh " + text_of(one, "fresh_for");
  if (one.contains("stale_for")) return "stale " + text_of(one, "stale_for");
  return one.contains("for") ? text_of(one, "for") : "-";
}

Table table_of(const Json& objects) {
  Table rows({{"STATE"}, {"STATUS", true}, {"AGE", true}, {"LASTS"}, {"BYTES", true}, {"URL AND KEY"}});
  for (const Json& one : objects)
    rows.add({text_of(one, "state"), text_of(one, "status"), text_of(one, "age"), lasts(one),
              one.contains("bytes") ? text_of(one, "bytes") : text_of(one, "filled"), url_and_key(one)});
  return rows;
}

Exit objects(const Session& session, const Options& options) {
  std::string path = "/api/v1/cache/objects?limit=" + encoded(options.limit);
  const auto add = [&path](const char* name, const std::string& value) {
    if (!value.empty()) path += fmt::format("&{}={}", name, encoded(value));
  };
  add("host", options.host);
  add("prefix", options.prefix);
  add("tag", options.tag);
  add("cursor", options.cursor);
  const Session::Outcome outcome = session.get(path);
  const Exit exit = session.show(outcome, table_of(outcome.items()), "nothing of it is stored here");
  const std::string next = outcome.ok() ? text_of(outcome.json, "next_cursor") : "-";
  if (session.for_people() && next != "-") say("there is more: the same with --cursor " + next);
  return exit;
}

std::string render(const Session& session, const Json& answer) {
  std::string text = line("result", session.painted(text_of(answer, "result"), Colour::kBold));
  text += line("why", printable(text_of(answer, "why")));
  for (const char* key : {"reason", "host", "route", "policy", "vary"}) {
    if (answer.contains(key) && !answer[key].is_null()) text += line(key, printable(text_of(answer, key)));
  }
  if (answer.contains("url")) text += line("key", url_and_key(answer));
  Json shown = answer.value("variants", Json::array());
  if (shown.empty() && answer.value("stored", Json()).is_object()) shown.push_back(answer["stored"]);
  if (!shown.empty()) text += table_of(shown).text(session.colour_on(), session.wide() ? 0 : session.width);
  const Json reasons = answer.value("reasons", Json::object());
  if (!reasons.empty()) text += line("of the route", most_of(reasons, 6));
  return text;
}

Exit lookup(const Session& session, const Options& options) {
  const std::optional<Json> body = options.request.json();
  if (!body) return Exit::kUsage;
  const Session::Outcome outcome =
      session.call({.method = "POST", .path = "/api/v1/cache:lookup", .body = body->dump()});
  return session.show(outcome, outcome.ok() ? render(session, outcome.json) : "",
                      {outcome.ok() ? text_of(outcome.json, "result") : ""});
}

// What one word would take more than one means: it is asked for.
std::string destroys(const Options& options) {
  if (options.all) return "purge the whole cache";
  if (!options.hosts.empty()) return fmt::format("purge the whole of {}", fmt::join(options.hosts, ", "));
  if (!options.prefixes.empty()) return fmt::format("purge everything below {}", fmt::join(options.prefixes, ", "));
  return {};
}

Exit purge(const Session& session, const Options& options) {
  Json body = Json::object();
  const auto put = [&body](const char* key, const std::vector<std::string>& names) {
    if (!names.empty()) body[key] = names;
  };
  put("urls", options.urls);
  put("tags", options.tags);
  put("prefixes", options.prefixes);
  put("hosts", options.hosts);
  if (options.all) body["all"] = true;
  if (body.empty()) {
    print_error("nothing is named", "name URLs, or --tag, --prefix, --host, or --all");
    return Exit::kUsage;
  }
  if (const std::string question = destroys(options); !question.empty()) {
    if (const Exit exit = session.confirmed(question); exit != Exit::kOk) return exit;
  }
  if (options.soft) body["mode"] = "soft";
  if (!options.reason.empty()) body["reason"] = options.reason;
  const Session::Outcome outcome = session.call({.method = "POST", .path = kPurges, .body = body.dump()});
  if (outcome.ok()) {
    for (const Json& warning : outcome.json.value("warnings", Json::array()))
      say("warning: " + text_of(warning, "message"));
  }
  return session.show(outcome,
                      outcome.ok() ? fmt::format("{}: {}\n", options.soft ? "stale from now on" : "purged",
                                                 printable(told(outcome.json)))
                                   : "",
                      {outcome.ok() ? text_of(outcome.json, "id") : ""});
}

Exit list_purges(const Session& session, const Options& options) {
  const Session::Outcome outcome =
      session.get(options.cursor.empty() ? kPurges : std::string(kPurges) + "?cursor=" + encoded(options.cursor));
  Table rows({{"TIME"}, {"AUTHOR"}, {"MODE"}, {"WHAT"}, {"REASON"}});
  for (const Json& one : outcome.items())
    rows.add({text_of(one, "effective_at"), text_of(one, "author"), text_of(one, "mode"), told(one),
              text_of(one, "reason")});
  const Exit exit = session.show(outcome, rows, "nothing was purged yet");
  const std::string next = outcome.ok() ? text_of(outcome.json, "next_cursor") : "-";
  if (session.for_people() && next != "-") say("older ones: proxyctl cache purges --before " + next);
  return exit;
}

void add_purge(CLI::App* noun, Session& session, Exit& exit, const std::shared_ptr<Options>& options) {
  CLI::App* command = noun->add_subcommand("purge", "Take something out of the cache, for all workers at once");
  const auto list = [command](const char* flag, std::vector<std::string>& names, const char* help, const char* type) {
    command->add_option(flag, names, help)->allow_extra_args(false)->type_name(type);
  };
  command->add_option("url", options->urls, "http://HOST/PATH: in all its variants, under http and https")
      ->type_name("URL");
  list("--tag", options->tags, "All that carries this tag; may be given again", "TAG");
  list("--prefix", options->prefixes, "All below a folder; may be given again", "HOST/PATH/");
  list("--host", options->hosts, "All of a host; may be given again", "HOST");
  command->add_flag("--all", options->all, "Everything");
  command->add_flag("--soft", options->soft, "Make it stale: it is served on while one asks the origin");
  command->add_option("--reason", options->reason, "Why, for the record")->type_name("TEXT");
  command->add_flag("--yes", session.yes, "Do not ask");
  command->callback([&session, &exit, options] { exit = purge(session, *options); });
}

void add_views(CLI::App* noun, Session& session, Exit& exit, const std::shared_ptr<Options>& options) {
  noun->add_subcommand("stats", "How full it is, and how much it saves")->callback([&session, &exit] {
    exit = stats(session);
  });
  CLI::App* command = noun->add_subcommand("lookup", "What it would be for a request, and why");
  options->request.add_options(*command);
  command->callback([&session, &exit, options] { exit = lookup(session, *options); });
  command = noun->add_subcommand("objects", "What is stored, in no order");
  command->add_option("--host", options->host, "Of this host")->type_name("HOST");
  command->add_option("--prefix", options->prefix, "Whose host and path begin so")->type_name("HOST/PATH");
  command->add_option("--tag", options->tag, "That carries this tag")->type_name("TAG");
  command->add_option("--limit", options->limit, "How many")
      ->check(CLI::Range(1, 200).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--cursor", options->cursor, "What comes behind: as the last page said")->type_name("CURSOR");
  command->callback([&session, &exit, options] { exit = objects(session, *options); });
}

}   // namespace

void add_cache(CLI::App& app, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* noun = app.add_subcommand("cache", "What is stored, and purging it")->require_subcommand(1);
  add_views(noun, session, exit, options);
  add_purge(noun, session, exit, options);
  CLI::App* command = noun->add_subcommand("purges", "What was purged, by the API and the method PURGE, newest first");
  command->add_option("--before", options->cursor, "What came before: as the last page said")->type_name("CURSOR");
  command->callback([&session, &exit, options] { exit = list_purges(session, *options); });
}

}   // namespace proxyd::cli
