#include <fmt/format.h>

#include <memory>

#include "cli/commands/targets.h"
#include "cli/output/text.h"

namespace proxyd::cli {
namespace {

// A line for each address, and the first of what it sent. Exit 1 when one did not pass.
Exit check(const Session& session, const TargetName& target) {
  const Session::Outcome outcome =
      session.call({.method = "POST", .path = target.path() + ":check", .body = "{}"}, hint_of_target(session, target));
  if (!outcome.ok()) return outcome.exit;
  std::string text;
  bool passed = !outcome.json.value("checks", Json::array()).empty();
  for (const Json& one : outcome.json.value("checks", Json::array())) {
    const bool well = one.value("passed", false);
    passed = passed && well;
    const std::string status = one.contains("status") ? ", status " + text_of(one, "status") : "";
    text += fmt::format("{} {}: {} in {:.1f} ms: {}{}\n",
                        session.painted(well ? "✓" : "✗", well ? Colour::kGreen : Colour::kRed),
                        text_of(one, "address"), text_of(one, "asked"), one.value("took_us", 0.0) / 1000,
                        well ? "passed" : text_of(one, "finding"), status);
    if (!well && one.contains("content")) text += "  " + printable(text_of(one, "content")) + "\n";
  }
  if (text.empty()) text = "it has no address to check\n";
  const Json state = outcome.json.value("target", Json::object());
  if (state.contains("state"))
    text += fmt::format("{} is {}{}\n", target.words(), state_of(state),
                        state.contains("reason") ? ": " + text_of(state, "reason") : "");
  const Exit shown = session.show(outcome, text);
  return shown == Exit::kOk && !passed ? Exit::kNegative : shown;
}

}   // namespace

void add_check(CLI::App& noun, Session& session, Exit& exit) {
  auto target = std::make_shared<TargetName>();
  CLI::App* command = with_target(
      noun.add_subcommand("check", "Check a target now, and tell what it answered; exit 1 when it did not pass"),
      *target);
  command->callback([&session, &exit, target] { exit = check(session, *target); });
}

}   // namespace proxyd::cli
