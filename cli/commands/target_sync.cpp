#include <fmt/format.h>

#include <memory>

#include "cli/commands/targets.h"
#include "cli/output/text.h"
#include "cli/validators.h"
#include "cli/waiting.h"

namespace proxyd::cli {
namespace {

constexpr auto kMargin = std::chrono::seconds(70);   // what the server may need on top of a drain

struct Options {
  std::string upstream;
  std::vector<std::string> addresses;
  std::string drain = "30s";
  std::string min_up;
};

std::string names_of(const Json& answer, const char* key) {
  std::string names;
  for (const Json& name : answer.value(key, Json::array()))
    names += (names.empty() ? "" : ", ") + printable(name.get<std::string>());
  return names.empty() ? "none" : names;
}

RestClient::Call call_of(const Options& options, bool dry_run) {
  Json body{{"targets", Json::array()}};
  for (const std::string& address : options.addresses) body["targets"].push_back(address);
  std::string path =
      fmt::format("/api/v1/upstreams/{}/targets?drain={}", encoded(options.upstream), encoded(options.drain));
  if (!options.min_up.empty()) path += "&min_up=" + options.min_up;
  if (dry_run) path += "&dry_run=true";
  return {.method = "PUT", .path = path, .body = body.dump()};
}

std::string hint_of_set(const Session& session, const Options& options, const Reply& reply) {
  if (reply.status == 404)
    return meant(session, "/api/v1/upstreams", "name", options.upstream, "proxyctl upstream list");
  if (problem_code(reply) == "last-target") return "see how they are: proxyctl upstream show " + options.upstream;
  return {};
}

// What leaves is told first, and asked about.
Exit sync(const Session& session, const Options& options) {
  const auto hint = [&](const Reply& reply) { return hint_of_set(session, options, reply); };
  const Session::Outcome plan = session.call(call_of(options, true), hint);
  if (!plan.ok()) return plan.exit;
  if (!plan.json.value("removed", Json::array()).empty()) {
    const Exit exit =
        session.confirmed(fmt::format("remove from '{}': {}", options.upstream, names_of(plan.json, "removed")));
    if (exit != Exit::kOk) return exit;
  }
  const auto limit = duration_of(options.drain) + kMargin;
  const Session::Outcome outcome = finished(session, session.call(call_of(options, false), hint), limit, hint);
  if (!outcome.ok()) return problem_code(outcome.reply) == "not-drained" ? Exit::kTimedOut : outcome.exit;
  session.show(outcome, fmt::format("targets of '{}': added {}; kept {}; removed {}\n", options.upstream,
                                    names_of(outcome.json, "added"), names_of(outcome.json, "kept"),
                                    names_of(outcome.json, "removed")));
  if (outcome.json.contains("cancelled")) {   // by somebody, or by the end of proxyd
    print_error("the removal was cancelled: what still drained stays", "proxyctl upstream show " + options.upstream);
    return Exit::kConflict;
  }
  const int cut = outcome.json.value("cut", 0);
  if (cut == 0) return Exit::kOk;
  print_error(fmt::format("{} request{} cut, not ended after {}", cut, cut == 1 ? " was" : "s were", options.drain),
              "give more time: --drain");
  return Exit::kPartly;
}

}   // namespace

void add_sync(CLI::App& target, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* command = target.add_subcommand(
      "sync",
      "Make these all targets of a dynamic upstream; others drain and go. Those that still run then are cut: exit 9");
  command->add_option("upstream", options->upstream, "Name of the upstream")->required()->type_name("UPSTREAM");
  command->add_option("addresses", options->addresses, "HOST:PORT or unix:PATH")->required()->type_name("ADDRESS");
  command->add_option("--drain", options->drain, "How long those that leave are waited for")
      ->check(duration())
      ->type_name("DURATION")
      ->capture_default_str();
  command->add_option("--min-up", options->min_up, "Nothing is done unless so many of the set are up")
      ->check(CLI::Range(0, 4096).description(""))
      ->type_name("N");
  command->add_flag("--yes", session.yes, "Do not ask");
  command->callback([&session, &exit, options] { exit = sync(session, *options); });
}

}   // namespace proxyd::cli
