#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands/commands.h"

namespace proxyd::cli {
namespace {

struct Options {
  std::string upstream;
  std::string target;
  std::string address;
  std::string id;
  std::string weight;
  std::string drain = "30s";
  std::string timeout = "60s";
  std::string duration;
  std::string reason;
  bool backup = false;
  bool force = false;
  bool keep = false;
  bool wait = true;
};

std::vector<std::string> target_row(const std::string& upstream, const Json& target) {
  const std::string weight = text_of(target, "weight");
  const std::string effective = text_of(target, "effective_weight");
  return {upstream, text_of(target, "id"), text_of(target, "address"), text_of(target, "state"), weight == effective ? weight : weight + " → " + effective, text_of(target, "in_flight"), text_of(target, "connections")};
}

const std::vector<std::string> kHeading = {"UPSTREAM", "TARGET", "ADDRESS", "STATE", "WEIGHT", "IN FLIGHT", "CONNECTIONS"};

std::string render(const Json& upstreams) {
  std::vector<std::vector<std::string>> rows = {kHeading};
  for (const Json& upstream : upstreams) {
    for (const Json& target : upstream.value("targets", Json::array())) rows.push_back(target_row(text_of(upstream, "name"), target));
  }
  return table(rows);
}

Exit list(const Session& session, const Options&) {
  const Session::Outcome outcome = session.get("/api/v1/upstreams");
  return session.show(outcome, outcome.ok() ? render(outcome.reply.json().value("items", Json::array())) : "");
}

Exit show(const Session& session, const Options& options) {
  const Session::Outcome outcome = session.get("/api/v1/upstreams/" + encoded(options.upstream));
  return session.show(outcome, outcome.ok() ? render(Json::array({outcome.reply.json()})) : "");
}

std::string target_path(const Options& options) {
  return fmt::format("/api/v1/upstreams/{}/targets/{}", encoded(options.upstream), encoded(options.target));
}

// The id of a target that was given none: its address with other characters as "-".
std::string default_id(std::string address) {
  std::replace_if(address.begin(), address.end(), [](unsigned char c) { return !std::isalnum(c) && c != '.' && c != '_' && c != '-'; }, '-');
  return address.substr(0, 64);
}

Exit add(const Session& session, const Options& given) {
  Options options = given;
  options.target = options.id.empty() ? default_id(options.address) : options.id;
  Json body{{"address", options.address}};
  if (!options.weight.empty()) body["weight"] = std::stoi(options.weight);
  if (options.backup) body["backup"] = true;
  const Session::Outcome outcome = session.call({"PUT", target_path(options), body.dump(), "application/json", {}});
  return session.show(outcome, fmt::format("target '{}' of '{}' is in revision {}\n", options.target, options.upstream, outcome.ok() ? text_of(outcome.reply.json(), "revision") : ""));
}

Exit set(const Session& session, const Options& options) {
  Json body = Json::object();
  if (!options.address.empty()) body["address"] = options.address;
  if (!options.weight.empty()) body["weight"] = std::stoi(options.weight);
  const Session::Outcome outcome = session.call({"PATCH", target_path(options), body.dump(), "application/json", {}});
  return session.show(outcome, fmt::format("changed, revision {}\n", outcome.ok() ? text_of(outcome.reply.json(), "revision") : ""));
}

Exit remove(const Session& session, const Options& options) {
  if (!session.confirmed(fmt::format("remove target '{}' of '{}'", options.target, options.upstream))) return Exit::kUsage;
  const std::string query = options.force ? "?force=true" : "?drain=" + encoded(options.drain);
  if (options.keep) {
    const Session::Outcome drained = session.call({"POST", target_path(options) + ":drain?wait=" + encoded(options.drain), "{}", "application/json", {}, 660});
    if (!drained.ok()) return drained.exit;
    if (!drained.reply.json().value("drained", false)) return print_error(text_of(drained.reply.json(), "in_flight") + " requests are still in flight; the target is kept, draining"), Exit::kTimedOut;
  }
  const Session::Outcome outcome = session.call({"DELETE", target_path(options) + query, "", "", {}, 660});
  if (!outcome.ok()) return outcome.exit;
  const Json json = outcome.reply.json();
  session.show(outcome, fmt::format("target '{}' of '{}' is removed, revision {}\n", options.target, options.upstream, text_of(json, "revision")));
  if (!json.contains("in_flight")) return Exit::kOk;
  print_error(text_of(json, "in_flight") + " requests were cut");
  return Exit::kPartly;
}

Exit put_override(const Session& session, const Options& options, const std::string& verb, Json body, const std::string& query) {
  if (!options.duration.empty()) body["for"] = options.duration;
  if (!options.reason.empty()) body["reason"] = options.reason;
  const Session::Outcome outcome = session.call({"POST", target_path(options) + ":" + verb + query, body.dump(), "application/json", {}, 660});
  if (!outcome.ok()) return outcome.exit;
  const Json json = outcome.reply.json();
  const std::string undo = verb == "ready" ? "" : fmt::format("override, not in the document; undo: proxyctl upstream ready {} {}\n", options.upstream, options.target);
  session.show(outcome, table({kHeading, target_row(options.upstream, json)}) + undo);
  if (json.value("drained", true)) return Exit::kOk;
  print_error(text_of(json, "in_flight") + " requests are still in flight");
  return Exit::kTimedOut;
}

Exit drain(const Session& session, const Options& options) {
  return put_override(session, options, "drain", Json::object(), options.wait ? "?wait=" + encoded(options.timeout) : "");
}
Exit maintenance(const Session& session, const Options& options) { return put_override(session, options, "maintenance", Json::object(), ""); }
Exit ready(const Session& session, const Options& options) { return put_override(session, options, "ready", Json::object(), ""); }

Exit weight(const Session& session, const Options& options) {
  const bool percent = options.weight.ends_with('%');
  return put_override(session, options, "weight", percent ? Json{{"weight", options.weight}} : Json{{"weight", std::stoi(options.weight)}}, "");
}

}  // namespace

void add_upstream(CLI::App& app, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* noun = app.add_subcommand("upstream", "Upstreams and their targets")->require_subcommand(1);
  const auto verb = [&session, &exit, options](CLI::App* parent, const char* name, const char* text, Exit (*run)(const Session&, const Options&)) {
    CLI::App* command = parent->add_subcommand(name, text);
    command->callback([&session, &exit, options, run] { exit = run(session, *options); });
    return command;
  };
  const auto with_target = [options](CLI::App* command) {
    command->add_option("upstream", options->upstream)->required();
    command->add_option("id", options->target)->required();
    return command;
  };
  verb(noun, "list", "Every target", list);
  verb(noun, "show", "One upstream", show)->add_option("upstream", options->upstream)->required();
  CLI::App* target = noun->add_subcommand("target", "Members of an upstream")->require_subcommand(1);
  CLI::App* command = verb(target, "add", "Add a target", add);
  command->add_option("upstream", options->upstream)->required();
  command->add_option("address", options->address)->required();
  command->add_option("--id", options->id, "Its name; else made of the address");
  command->add_option("--weight", options->weight, "100 is one share")->check(CLI::Range(0, 10000));
  command->add_flag("--backup", options->backup, "Used when no other can be");
  command = with_target(verb(target, "remove", "Drain and remove a target", remove));
  command->add_option("--drain", options->drain, "How long requests may finish");
  command->add_flag("--keep", options->keep, "Keep it when they do not");
  command->add_flag("--force", options->force, "At once");
  command->add_flag("--yes", session.yes, "Do not ask");
  command = with_target(verb(target, "set", "Change a target", set));
  command->add_option("--address", options->address);
  command->add_option("--weight", options->weight)->check(CLI::Range(0, 10000));
  const auto with_override = [options](CLI::App* one) {
    one->add_option("--for", options->duration, "Goes back by itself");
    one->add_option("--reason", options->reason, "Why");
    return one;
  };
  command = with_override(with_target(verb(noun, "drain", "No new requests", drain)));
  command->add_option("--timeout", options->timeout, "How long to wait");
  command->add_flag("--wait,!--no-wait", options->wait, "Until nothing is in flight");
  with_override(with_target(verb(noun, "maintenance", "Out of service", maintenance)));
  with_override(with_target(verb(noun, "ready", "Back in service", ready)));
  command = with_override(with_target(verb(noun, "weight", "Another weight for now", weight)));
  command->add_option("weight", options->weight, "N or N%")->required();
}

}  // namespace proxyd::cli
