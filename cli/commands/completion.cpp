#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "cli/commands/commands.h"
#include "cli/tree.h"

namespace proxyd::cli {
namespace {

using Commands = std::vector<CommandView>;

// Names that the server knows are asked of it; files are the shell's; lower-case words of a value are the choices.
constexpr std::string_view kUpstreams = "proxyctl upstream list -o name 2>/dev/null";
constexpr std::string_view kSlots = "proxyctl worker list -o name 2>/dev/null";
constexpr std::string_view kRevisions = "proxyctl config history -o name 2>/dev/null";

// What is offered for a value: "@files", "@upstreams", "@slots", "@revisions", or the choices.
std::string offer_for(const std::string& value) {
  if (value.starts_with("FILE")) return "@files";
  if (value == "UPSTREAM") return "@upstreams";
  if (value == "SLOT") return "@slots";
  if (value == "REV") return "@revisions";
  std::istringstream parts(value);
  std::string words;
  for (std::string part; std::getline(parts, part, '|');) {
    const bool choice =
        !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (choice) words += (words.empty() ? "" : " ") + part;
  }
  return words.empty() ? "@nothing" : words;
}

// For single quotes, in all three shells.
std::string in_quotes(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? std::string("’") : std::string(1, c);
  return "'" + out + "'";
}

std::vector<OptionView> options_of(const Commands& all, const CommandView& command) {
  std::vector<OptionView> options = command.options;
  if (!command.words.empty())
    std::copy_if(all.front().options.begin(), all.front().options.end(), std::back_inserter(options),
                 [](const OptionView& one) { return one.names.back() != "--help" && one.names.back() != "--version"; });
  return options;
}

// "case COMMAND" branches of a function that says what is offered for an option's value.
std::string value_branches(const Commands& all, const char* branch) {
  std::string out;
  for (const CommandView& command : all) {
    for (const OptionView& option : options_of(all, command)) {
      if (option.value.empty()) continue;
      std::string patterns;
      for (const std::string& name : option.names)
        patterns += (patterns.empty() ? "" : "|") + in_quotes(command.words + " " + name);
      out += fmt::format(fmt::runtime(branch), patterns, in_quotes(offer_for(option.value)));
    }
  }
  return out;
}

std::string argument_branches(const Commands& all) {
  std::string out;
  for (const CommandView& command : all) {
    size_t number = 0;
    for (const OptionView& argument : command.arguments) {
      const std::string offer = offer_for(argument.value);
      if (offer != "@nothing")
        out += fmt::format(
            "    {}) echo {} ;;\n",
            in_quotes(fmt::format("{} {}", command.words, number)) +
                (argument.repeats ? fmt::format("|{}", in_quotes(fmt::format("{} {}", command.words, number + 1)))
                                  : ""),
            in_quotes(offer));
      ++number;
    }
  }
  return out;
}

std::string verb_names(const CommandView& command) {
  std::string names;
  for (const auto& verb : command.verbs) names += (names.empty() ? "" : " ") + verb.name;
  return names;
}

// The functions that bash and zsh share: what follows which command.
std::string tables(const Commands& all) {
  std::string verbs;
  for (const CommandView& command : all) {
    if (!command.verbs.empty())
      verbs += fmt::format("    {}) echo {} ;;\n", in_quotes(command.words), in_quotes(verb_names(command)));
  }
  return fmt::format(
      "_proxyctl_verbs() {{\n  case \"$1\" in\n{}  esac\n}}\n_proxyctl_value() {{\n  case \"$1 $2\" in\n{}  "
      "esac\n}}\n_proxyctl_argument() {{\n  case \"$1 $2\" in\n{}  esac\n}}\n",
      verbs, value_branches(all, "    {}) echo {} ;;\n"), argument_branches(all));
}

std::string bash(const Commands& all) {
  std::string options;
  for (const CommandView& command : all) {
    std::string names;
    for (const OptionView& option : options_of(all, command))
      names += fmt::format("{}{}", names.empty() ? "" : " ", fmt::join(option.names, " "));
    options += fmt::format("    {}) echo {} ;;\n", in_quotes(command.words), in_quotes(names));
  }
  return "# bash completion for proxyctl: source it, or put it into /usr/share/bash-completion/completions/proxyctl\n" +
         tables(all) + fmt::format("_proxyctl_options() {{\n  case \"$1\" in\n{}  esac\n}}\n", options) +
         fmt::format(R"sh(_proxyctl_offer() {{
  case "$1" in
    @files) compgen -f -- "$2" ;;
    @upstreams) compgen -W "$({})" -- "$2" ;;
    @slots) compgen -W "$({})" -- "$2" ;;
    @revisions) compgen -W "$({})" -- "$2" ;;
    @nothing|'') ;;
    *) compgen -W "$1" -- "$2" ;;
  esac
}}
)sh",
                     kUpstreams, kSlots, kRevisions) +
         R"sh(_proxyctl() {
  local cur="${COMP_WORDS[COMP_CWORD]}" command='' expects='' given=0 i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    if [[ -n $expects ]]; then
      [[ $word == = ]] || expects=''
      continue
    fi
    case "$word" in
      -*) expects="$(_proxyctl_value "$command" "$word")" ;;
      *)
        if [[ " $(_proxyctl_verbs "$command") " == *" $word "* ]]; then
          command="${command:+$command }$word"
        else
          given=$((given + 1))
        fi ;;
    esac
  done
  [[ $cur == = ]] && cur=''
  if [[ -n $expects ]]; then
    mapfile -t COMPREPLY < <(_proxyctl_offer "$expects" "$cur")
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_proxyctl_options "$command")" -- "$cur")
  elif [[ -n "$(_proxyctl_verbs "$command")" ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_proxyctl_verbs "$command")" -- "$cur")
  else
    mapfile -t COMPREPLY < <(_proxyctl_offer "$(_proxyctl_argument "$command" "$given")" "$cur")
  fi
}
complete -o filenames -F _proxyctl proxyctl
)sh";
}

std::string zsh(const Commands& all) {
  std::string described;
  for (const CommandView& command : all) {
    std::string verbs, options;
    for (const auto& verb : command.verbs) verbs += " " + in_quotes(verb.name + ":" + verb.text);
    for (const OptionView& option : options_of(all, command)) {
      for (const std::string& name : option.names) options += " " + in_quotes(name + ":" + option.text);
    }
    described += fmt::format("    {}) verbs=({}) options=({}) ;;\n", in_quotes(command.words),
                             verbs.empty() ? "" : verbs.substr(1), options.empty() ? "" : options.substr(1));
  }
  return "#compdef proxyctl\n# zsh completion for proxyctl: put it into a folder of $fpath as _proxyctl\n" +
         tables(all) +
         fmt::format(R"sh(_proxyctl_offer() {{
  case "$1" in
    @files) _files ;;
    @upstreams) compadd -- ${{(f)"$({})"}} ;;
    @slots) compadd -- ${{(f)"$({})"}} ;;
    @revisions) compadd -- ${{(f)"$({})"}} ;;
    @nothing|'') ;;
    *) compadd -- ${{=1}} ;;
  esac
}}
)sh",
                     kUpstreams, kSlots, kRevisions) +
         R"sh(_proxyctl() {
  local command='' expects='' word
  local -i given=0 i
  local -a verbs options
  for ((i = 2; i < CURRENT; i++)); do
    word="${words[i]}"
    if [[ -n $expects ]]; then
      expects=''
      continue
    fi
    case "$word" in
      -*=*) ;;
      -*) expects="$(_proxyctl_value "$command" "$word")" ;;
      *)
        if [[ " $(_proxyctl_verbs "$command") " == *" $word "* ]]; then
          command="${command:+$command }$word"
        else
          given=$((given + 1))
        fi ;;
    esac
  done
  case "$command" in
)sh" + described +
         R"sh(  esac
  if [[ -n $expects ]]; then
    _proxyctl_offer "$expects"
  elif [[ ${words[CURRENT]} == -* ]]; then
    _describe option options
  elif (( ${#verbs} )); then
    _describe command verbs
  else
    _proxyctl_offer "$(_proxyctl_argument "$command" "$given")"
  fi
}
if [[ ${funcstack[1]} == _proxyctl ]]; then
  _proxyctl "$@"
else
  compdef _proxyctl proxyctl
fi
)sh";
}

std::string fish_offer(const std::string& value) {
  const std::string offer = offer_for(value);
  if (offer == "@files") return " -F";
  if (offer == "@upstreams") return fmt::format(" -f -a '({})'", kUpstreams);
  if (offer == "@slots") return fmt::format(" -f -a '({})'", kSlots);
  if (offer == "@revisions") return fmt::format(" -f -a '({})'", kRevisions);
  return offer == "@nothing" ? " -f" : fmt::format(" -f -a {}", in_quotes(offer));
}

std::string fish(const Commands& all) {
  std::string out =
      "# fish completion for proxyctl: put it into ~/.config/fish/completions/proxyctl.fish\nfunction "
      "__proxyctl_verbs\n  switch \"$argv[1]\"\n";
  for (const CommandView& command : all) {
    if (!command.verbs.empty())
      out += fmt::format("    case {}\n      string split ' ' {}\n", in_quotes(command.words),
                         in_quotes(verb_names(command)));
  }
  std::string values = value_branches(all, "    case {0}\n      return 0\n");
  std::replace(values.begin(), values.end(), '|', ' ');
  out += "  end\nend\nfunction __proxyctl_takes_value\n  switch \"$argv[1] $argv[2]\"\n" + values + R"sh(  end
  return 1
end
function __proxyctl_command
  set -l command ''
  set -l skip 0
  for word in (commandline -opc)[2..]
    if test $skip = 1
      set skip 0
    else if string match -q -- '-*' $word
      __proxyctl_takes_value "$command" $word; and set skip 1
    else if contains -- $word (__proxyctl_verbs "$command")
      set command (string trim "$command $word")
    end
  end
  echo $command
end
function __proxyctl_at
  test (__proxyctl_command) = "$argv[1]"
end
)sh";
  for (const CommandView& command : all) {
    const std::string here = fmt::format("complete -c proxyctl -n \"__proxyctl_at '{}'\"", command.words);
    for (const auto& verb : command.verbs)
      out += fmt::format("{} -f -a {} -d {}\n", here, verb.name, in_quotes(verb.text));
    for (const OptionView& argument : command.arguments)
      out += fmt::format("{}{} -d {}\n", here, fish_offer(argument.value), in_quotes(argument.text));
    for (const OptionView& option : options_of(all, command)) {
      std::string names;
      for (const std::string& name : option.names)
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      out += fmt::format("{}{}{} -d {}\n", here, names, option.value.empty() ? "" : " -r" + fish_offer(option.value),
                         in_quotes(option.text));
    }
  }
  return out;
}

}   // namespace

void add_completion(CLI::App& app, Exit& exit) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Completions for a shell");
  command->add_option("shell", *shell, "Which")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""))
      ->type_name("bash|zsh|fish");
  command->callback([&app, &exit, shell] {
    const Commands all = commands_of(app);
    print(*shell == "bash" ? bash(all) : *shell == "zsh" ? zsh(all) : fish(all));
    exit = Exit::kOk;
  });
}

}   // namespace proxyd::cli
