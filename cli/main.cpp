#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>

#include "cli/commands/commands.h"

namespace {

using namespace proxyd::cli;

constexpr const char* kDefaultAddress = "unix:/run/proxyd/admin.sock";

std::string from_environment(const char* name, const std::string& initial) {
  const char* value = std::getenv(name);
  return value ? value : initial;
}

// A token comes from a file or the environment, never from the command line, where others can see it.
std::string read_token(const std::string& file) {
  if (file.empty()) return from_environment("PROXYCTL_TOKEN", "");
  std::ifstream in(file);
  std::string token;
  in >> token;
  return token;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("proxyctl: operates a running proxyd");
  Session session;
  std::string token_file;
  Exit exit = Exit::kUsage;
  session.address = from_environment("PROXYCTL_ADDR", kDefaultAddress);
  session.colour = ::isatty(1) && !std::getenv("NO_COLOR");
  app.add_option("--addr", session.address, "unix:PATH, http://HOST:PORT or https://HOST:PORT");
  app.add_option("--token-file", token_file, "File with an API token");
  app.add_option("-o,--output", session.output, "table, wide, json, yaml or name")->check(CLI::IsMember({"table", "wide", "json", "yaml", "name"}));
  app.require_subcommand(1);
  app.fallthrough();
  app.parse_complete_callback([&] { session.token = read_token(token_file); });
  add_status(app, session, exit);
  add_config(app, session, exit);
  add_upstream(app, session, exit);
  add_route(app, session, exit);
  add_worker(app, session, exit);
  add_token(app, session, exit);
  add_observe(app, session, exit);
  add_shell(app, session, exit);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::kUsage);
  }
  return static_cast<int>(exit);
}
