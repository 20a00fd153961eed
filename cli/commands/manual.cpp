#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/tree.h"

namespace proxyd::cli {
namespace {

// Text for roff: no octet of it is taken for a request or an escape, and a hyphen is what is typed.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string sentence(const std::string& text) { return roff(text) + (text.ends_with('.') ? "" : ".") + "\n"; }

std::string synopsis(const CommandView& command) {
  std::string out = fmt::format(".B proxyctl {}\n", roff(command.words));
  if (!command.options.empty()) out += ".RI [ options ]\n";
  for (const OptionView& argument : command.arguments)
    out += fmt::format("{}{}{}{}\n", argument.required ? ".I " : ".RI [ ", roff(argument.value),
                       argument.required ? "" : " ]", argument.repeats ? "..." : "");
  return out;
}

std::string option_text(const OptionView& option) {
  std::string heading;
  for (const std::string& name : option.names)
    heading += fmt::format("{}\\fB{}\\fR", heading.empty() ? "" : ", ", roff(name));
  if (!option.value.empty()) heading += fmt::format("{}\\fI{}\\fR", heading.empty() ? "" : " ", roff(option.value));
  return fmt::format(".TP\n{}\n{}", heading, sentence(option.text));
}

std::string command_text(const CommandView& command) {
  std::string out = fmt::format(".SS {}\n", roff(command.words)) + synopsis(command) + ".PP\n" + sentence(command.text);
  for (const OptionView& argument : command.arguments) out += option_text(argument);
  for (const OptionView& option : command.options) {
    if (option.names.back() != "--help") out += option_text(option);
  }
  return out;
}

constexpr const char* kEnd = R"(.SH OUTPUT
Data goes to stdout, messages go to stderr.
.B \-o json
prints the body of the API's answer as it came.
Colours are used on a terminal only, and never when
.B NO_COLOR
is set.
.PP
Commands that destroy something ask on a terminal; elsewhere they need
.BR \-\-yes :
target remove, token revoke, worker restart, shutdown, a cache purge of a host, below a folder or of everything, and an apply that would leave no listener or remove more than
half of the hosts or upstreams.
.SH ENVIRONMENT
.TP
.B PROXYCTL_ADDR
The server, where \-\-addr is not given: unix:PATH, http://HOST:PORT or https://HOST:PORT.
.TP
.B PROXYCTL_TOKEN
An API token, where \-\-token\-file is not given. A token is never taken from the command line, where others can see it.
.TP
.B SSL_CERT_FILE
Authorities that may have signed the server's certificate.
.TP
.B NO_COLOR
No colours, whatever the value.
.SH EXIT STATUS
.TP
.B 0
Done.
.TP
.B 1
A negative answer: there are differences, something needs attention, somebody said no.
.TP
.B 2
The command line was not understood, or something must be said with \-\-yes.
.TP
.B 3
No server was reached.
.TP
.B 4
Not allowed.
.TP
.B 5
Not found.
.TP
.B 6
A conflict, as when somebody else changed the configuration meanwhile.
.TP
.B 7
The configuration is not valid.
.TP
.B 8
The time was over, as when a drained target still has requests in flight.
.TP
.B 9
Partly done, as when requests still ran.
.TP
.B 10
The server failed.
.SH EXAMPLES
.EX
proxyctl export > site.yaml
proxyctl apply \-f site.yaml \-\-dry\-run
proxyctl apply \-f site.yaml \-m "a second target"
proxyctl upstream target add app 10.0.0.12:8080 \-\-id app2
proxyctl upstream drain app app1 \-\-timeout 60s
proxyctl explain http://www.example.com/cart \-X POST
.EE
)";

std::string manual(const CLI::App& app) {
  const std::vector<CommandView> all = commands_of(app);
  std::string out = ".TH PROXYCTL 1 \"\" \"proxyd " PROXYD_VERSION
                    "\" \"User Commands\"\n.SH NAME\nproxyctl \\- operate a running proxyd\n.SH SYNOPSIS\n.B "
                    "proxyctl\n.RI [ options ]\n.I command\n.SH DESCRIPTION\n"
                    "proxyctl speaks with a running proxyd by its admin API: it shows and changes the configuration, "
                    "the targets of upstreams, the cache, the workers and the API tokens.\n.SH OPTIONS\n";
  for (const OptionView& option : all.front().options) out += option_text(option);
  out += ".SH COMMANDS\n";
  for (const CommandView& command : all) {
    if (command.verbs.empty()) out += command_text(command);
  }
  return out + kEnd;
}

}   // namespace

void add_manual(CLI::App& app, Exit& exit) {
  app.add_subcommand("man", "The manual page, as roff: proxyctl man | man -l -")->callback([&app, &exit] {
    print(manual(app));
    exit = Exit::kOk;
  });
}

}   // namespace proxyd::cli
