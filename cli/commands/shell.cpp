#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "cli/commands/commands.h"

namespace proxyd::cli {
namespace {

struct Call {
  std::string method;
  std::string path;
  std::string body;
};

Exit api(const Session& session, const Call& call) {
  std::string body = call.body;
  if (body.starts_with('@')) {
    std::ifstream file(body.substr(1));
    if (!file) return print_error(body.substr(1) + " cannot be read"), Exit::kUsage;
    body.assign(std::istreambuf_iterator<char>(file), {});
  }
  const std::string path = call.path.starts_with('/') ? call.path : "/api/v1/" + call.path;
  const Session::Outcome outcome = session.call({call.method, path, body, "application/json", {}, 60});
  std::cout << outcome.reply.body;
  return outcome.exit;
}

// Every command with its words: "upstream target add".
void walk(const CLI::App& app, const std::string& words, const std::function<void(const std::string&, const CLI::App&)>& each) {
  for (const CLI::App* child : app.get_subcommands(nullptr)) {
    const std::string name = words.empty() ? child->get_name() : words + " " + child->get_name();
    each(name, *child);
    walk(*child, name, each);
  }
}

std::string subcommands_of(const CLI::App& app) {
  std::string names;
  for (const CLI::App* child : app.get_subcommands(nullptr)) names += (names.empty() ? "" : " ") + child->get_name();
  return names;
}

std::string completion(const CLI::App& app, const std::string& shell) {
  std::string out;
  if (shell == "fish") {
    for (const CLI::App* child : app.get_subcommands(nullptr)) out += fmt::format("complete -c proxyctl -n __fish_use_subcommand -a {} -d '{}'\n", child->get_name(), child->get_description());
    walk(app, "", [&out](const std::string& words, const CLI::App& one) {
      const std::string last = words.substr(words.rfind(' ') == std::string::npos ? 0 : words.rfind(' ') + 1);
      for (const CLI::App* child : one.get_subcommands(nullptr)) out += fmt::format("complete -c proxyctl -n '__fish_seen_subcommand_from {}' -a {} -d '{}'\n", last, child->get_name(), child->get_description());
    });
    return out;
  }
  if (shell == "zsh") out += "autoload -U +X bashcompinit && bashcompinit\n";
  out += "_proxyctl() {\n  local words=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\" next=\"\"\n  case \"$words\" in\n";
  walk(app, "", [&out](const std::string& words, const CLI::App& one) {
    if (!subcommands_of(one).empty()) out += fmt::format("    \"{}\") next=\"{}\" ;;\n", words, subcommands_of(one));
  });
  out += fmt::format("    \"\") next=\"{}\" ;;\n  esac\n  COMPREPLY=($(compgen -W \"$next\" -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n}}\ncomplete -F _proxyctl proxyctl\n", subcommands_of(app));
  return out;
}

std::string man(const CLI::App& app) {
  std::string out = ".TH PROXYCTL 1\n.SH NAME\nproxyctl \\- operate a running proxyd\n.SH SYNOPSIS\n.B proxyctl\n[\\-\\-addr ADDR] [\\-o FORMAT] NOUN VERB [NAME]\n.SH COMMANDS\n";
  walk(app, "", [&out](const std::string& words, const CLI::App& one) {
    if (!subcommands_of(one).empty()) return;
    out += fmt::format(".TP\n.B {}\n{}.\n", words, one.get_description());
  });
  out += ".SH EXIT STATUS\n0 ok, 1 a negative answer, 2 usage, 3 unreachable, 4 not allowed, 5 not found, 6 conflict, 7 invalid configuration, 8 timed out, 9 partly done, 10 the server failed.\n";
  return out;
}

}  // namespace

void add_shell(CLI::App& app, Session& session, Exit& exit) {
  auto call = std::make_shared<Call>();
  CLI::App* command = app.add_subcommand("api", "One call of the REST API");
  command->add_option("method", call->method, "GET, PUT …")->required();
  command->add_option("path", call->path, "/api/v1/status, or status")->required();
  command->add_option("-d,--data", call->body, "Body, or @FILE");
  command->callback([&session, &exit, call] { exit = api(session, *call); });
  auto shell = std::make_shared<std::string>();
  command = app.add_subcommand("completion", "Completions for a shell");
  command->add_option("shell", *shell)->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, &exit, shell] {
    std::cout << completion(app, *shell);
    exit = Exit::kOk;
  });
  app.add_subcommand("man", "The manual page, as roff")->callback([&app, &exit] {
    std::cout << man(app);
    exit = Exit::kOk;
  });
  app.add_subcommand("version", "Of proxyctl and of the server")->callback([&session, &exit] {
    std::cout << "proxyctl 0.1.0\n";
    const auto reply = session.client().get("/api/v1/status");
    if (reply && reply->ok()) std::cout << "proxyd " << text_of(reply->json(), "version") << "\n";
    exit = Exit::kOk;
  });
}

}  // namespace proxyd::cli
