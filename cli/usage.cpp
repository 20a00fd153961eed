#include "cli/usage.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "cli/output/streams.h"
#include "cli/output/text.h"
#include "shared/config/schema.h"

namespace proxyd::cli {
namespace {

// The command that was reached, and its words.
struct Reached {
  const CLI::App* app;
  std::string words = "proxyctl";
};

Reached reached_by(const CLI::App& root) {
  Reached reached{&root};
  while (!reached.app->get_subcommands().empty()) {
    reached.app = reached.app->get_subcommands().front();
    reached.words += " " + reached.app->get_name();
  }
  return reached;
}

std::vector<std::string> names_for(const CLI::App& app, bool options) {
  std::vector<std::string> names;
  if (!options) {
    for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(child->get_name());
    return names;
  }
  for (const CLI::App* level = &app; level; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

Exit unexpected(const CLI::App& root, const Reached& reached) {
  const std::vector<std::string> left = root.remaining(true);
  const std::string word = left.empty() ? "" : left.front();
  const bool option = word.starts_with('-');
  const std::vector<std::string> names = names_for(*reached.app, option);
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view meant = config::nearest(word, views);
  const bool verbs = !option && !names.empty();
  print_error(fmt::format("{} has no {} '{}'", reached.words,
                          option  ? "option"
                          : verbs ? "command"
                                  : "further argument",
                          word),
              (meant.empty() ? "" : fmt::format("did you mean '{}'? ", meant)) + reached.words + " --help shows " +
                  (option  ? "what it takes"
                   : verbs ? "its commands"
                           : "how it is used"));
  return Exit::kUsage;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}   // namespace

Exit explain_usage(const CLI::App& root, const CLI::ParseError& error) {
  const Reached reached = reached_by(root);
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    const bool version = error.get_name() == "CallForVersion";
    print(version ? std::string(error.what()) + "\n"
                  : reached.app->help(reached.words.substr(
                        0, reached.words.rfind(' ') == std::string::npos ? 0 : reached.words.rfind(' '))));
    return Exit::kOk;
  }
  const bool nothing_reached = !names_for(*reached.app, false).empty() && reached.app->get_subcommands().empty();
  if (!root.remaining(true).empty()) return unexpected(root, reached);
  if (nothing_reached && error.get_name() == "RequiredError") {
    say(reached.app->help(
        reached.words.substr(0, reached.words.rfind(' ') == std::string::npos ? 0 : reached.words.rfind(' '))));
    print_error(reached.words + " needs a command", reached.words + " --help");
    return Exit::kUsage;
  }
  print_error(first_line(error.what()), reached.words + " --help shows how it is used");
  return Exit::kUsage;
}

}   // namespace proxyd::cli
