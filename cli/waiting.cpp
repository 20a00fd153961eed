#include "cli/waiting.h"

#include <fmt/format.h>

#include <thread>

#include "shared/config/units.h"

namespace proxyd::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLook{50};

}   // namespace

Session::Outcome finished(const Session& session, Session::Outcome outcome, milliseconds limit,
                          const Session::HintFor& hint) {
  if (outcome.reply.status != 202 || !outcome.reply.location.starts_with("/api/")) return outcome;
  const std::string place = outcome.reply.location;
  const Looked looked = look_until(session, place, limit,
                                   [](const Json& operation) { return operation.value("state", "") != "running"; });
  if (!looked.outcome.ok()) return looked.outcome;
  if (!looked.held) {
    print_error("it goes on, but not within the time that was given", "look again: proxyctl api GET " + place);
    outcome.exit = Exit::kTimedOut;
    return outcome;
  }
  const Json result = looked.outcome.json.value("result", Json::object());
  Reply reply{looked.outcome.json.value("status", 200), result.dump() + "\n", "application/json", "", ""};
  const Exit exit = exit_of(reply);
  if (exit != Exit::kOk) print_refusal(reply, hint ? hint(reply) : "");
  return {exit, std::move(reply), result};
}

Looked look_until(const Session& session, const std::string& path, milliseconds limit,
                  const std::function<bool(const Json&)>& there) {
  const auto end = steady_clock::now() + limit;
  for (;;) {
    Looked looked{session.get(path), false};
    if (!looked.outcome.ok()) return looked;
    looked.held = there(looked.outcome.json);
    if (looked.held || steady_clock::now() >= end) return looked;
    std::this_thread::sleep_for(kLook);
  }
}

milliseconds duration_of(const std::string& text) { return milliseconds(config::parse_duration(text).value_or(0)); }

}   // namespace proxyd::cli
