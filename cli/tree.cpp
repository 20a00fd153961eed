#include "cli/tree.h"

namespace proxyd::cli {
namespace {

OptionView view_of(const CLI::Option& option) {
  OptionView view;
  for (const std::string& name : option.get_snames()) view.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) view.names.push_back("--" + name);
  const bool flag = option.get_items_expected_max() == 0;
  if (!flag) view.value = option.get_type_name();
  view.text = option.get_description();
  view.required = option.get_required();
  view.repeats = option.get_items_expected_max() > 1 && !option.nonpositional();
  return view;
}

void add(std::vector<CommandView>& all, const CLI::App& app, const std::string& words) {
  CommandView view{words, app.get_description(), {}, {}, {}};
  for (const CLI::Option* option : app.get_options())
    (option->get_positional() ? view.arguments : view.options).push_back(view_of(*option));
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; }))
    view.verbs.push_back({child->get_name(), child->get_description()});
  all.push_back(std::move(view));
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; }))
    add(all, *child, words.empty() ? child->get_name() : words + " " + child->get_name());
}

}   // namespace

std::vector<CommandView> commands_of(const CLI::App& root) {
  std::vector<CommandView> all;
  add(all, root, "");
  return all;
}

}   // namespace proxyd::cli
