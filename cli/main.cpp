#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "cli/commands/commands.h"
#include "cli/usage.h"

namespace {

using namespace proxyd::cli;

constexpr const char* kDefaultAddress = "unix:/run/proxyd/admin.sock";

std::string from_environment(const char* name, const std::string& initial) {
  const char* value = std::getenv(name);
  return value && *value != '\0' ? value : initial;
}

// A token comes from a file or the environment, never from the command line, where others can see it.
std::string read_token(const std::string& file) {
  if (file.empty()) return from_environment("PROXYCTL_TOKEN", "");
  std::ifstream in(file);
  if (!in) throw CLI::ValidationError("--token-file", file + " cannot be read: " + std::strerror(errno));
  std::string token;
  in >> token;
  if (token.empty()) throw CLI::ValidationError("--token-file", file + " holds no token");
  return token;
}

void add_everything(CLI::App& app, Session& session, Exit& exit) {
  add_status(app, session, exit);
  add_apply(app, session, exit);
  add_config(app, session, exit);
  add_upstream(app, session, exit);
  add_host(app, session, exit);
  add_route(app, session, exit);
  add_cache(app, session, exit);
  add_explain(app, session, exit);
  add_cert(app, session, exit);
  add_worker(app, session, exit);
  add_token(app, session, exit);
  add_observe(app, session, exit);
  add_ui(app, session, exit);
  add_api(app, session, exit);
  add_completion(app, exit);
  add_manual(app, exit);
}

int run(int argc, char** argv) {
  CLI::App app("Operates a running proxyd");
  app.name("proxyctl");
  Session session;
  std::string token_file;
  Exit exit = Exit::kUsage;
  session.address = from_environment("PROXYCTL_ADDR", kDefaultAddress);
  app.add_option("--addr", session.address,
                 "The server: unix:PATH, http://HOST:PORT or https://HOST:PORT; else PROXYCTL_ADDR, else "
                 "unix:/run/proxyd/admin.sock")
      ->type_name("ADDRESS")
      ->take_last();
  app.add_option("--token-file", token_file, "A file with an API token; else PROXYCTL_TOKEN")
      ->type_name("FILE")
      ->take_last();
  app.add_option("-o,--output", session.output, "How data is shown; json is the API's own")
      ->check(CLI::IsMember({"table", "wide", "json", "yaml", "name"}).description(""))
      ->type_name("table|wide|json|yaml|name")
      ->capture_default_str()
      ->take_last();
  app.set_version_flag("--version", std::string("proxyctl ") + PROXYD_VERSION, "Of proxyctl");
  app.require_subcommand(1);
  app.fallthrough();
  app.parse_complete_callback([&] {
    session.token = read_token(token_file);
    if (const std::string fault = fault_in_address(session.address); !fault.empty())
      throw CLI::ValidationError("--addr", "'" + session.address + "': " + fault);
    session.colour = has_colour(STDOUT_FILENO);
    session.width = ::isatty(STDOUT_FILENO) ? terminal_width() : 0;
  });
  add_everything(app, session, exit);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit = explain_usage(app, error);
  }
  return static_cast<int>(exit);
}

}   // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    print_error(std::string("the answer was not understood: ") + error.what(),
                "are proxyctl and proxyd of one version? proxyctl version");
    return static_cast<int>(Exit::kServerFailed);
  }
}
