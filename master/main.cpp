#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "master/admin/server.h"
#include "master/bootstrap.h"
#include "master/master.h"
#include "shared/base/log.h"
#include "shared/config/decode.h"

namespace {

using namespace proxyd;

constexpr int kInvalid = 7;
constexpr int kConflict = 6;

int fail(const std::string& message, int code) {
  std::fprintf(stderr, "error: %s\n", message.c_str());
  return code;
}

// --check: the bootstrap and a document, without starting anything.
int check(const master::Bootstrap& bootstrap) {
  const std::string path = !bootstrap.imported_config.empty() ? bootstrap.imported_config : bootstrap.config_file;
  if (path.empty()) return 0;
  std::ifstream file(path);
  if (!file) return fail(path + " cannot be read", kInvalid);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const config::Decoded decoded = config::decode(text, config::guess_format(text));
  for (const config::Problem& problem : decoded.problems) {
    std::fprintf(stderr, "%s:%d:%d: %s: %s %s\n", path.c_str(), problem.line, problem.column, problem.pointer.c_str(), problem.message.c_str(), problem.suggestion.c_str());
  }
  return decoded.valid() ? 0 : kInvalid;
}

void print_where(const master::Bootstrap& bootstrap, const std::string& admin_url) {
  if (bootstrap.listen.empty()) return;
  const std::string site = bootstrap.listen.starts_with(':') ? "127.0.0.1" + bootstrap.listen : bootstrap.listen;
  fmt::print("site:   http://{}/\nadmin:  {}\nproxyctl: PROXYCTL_ADDR=unix:{}\n", site, admin_url, bootstrap.admin_socket());
  std::fflush(stdout);
}

int run(const master::Flags& flags, bool print_config, bool check_only) {
  auto bootstrap = master::load_bootstrap(flags);
  if (!bootstrap) return fail(bootstrap.error().message, kInvalid);
  if (print_config) return fmt::print("{}", bootstrap->describe()), 0;
  if (check_only) return check(*bootstrap);
  Log log(2, "proxyd");
  auto master = master::Master::create(*bootstrap, log);
  if (!master) return fail(master.error().message, master.error().message.starts_with("another proxyd") ? kConflict : 1);
  admin::AdminServer admin(**master);
  const auto listening = admin.start();
  if (!listening) return fail(listening.error().message, 1);
  const auto started = (*master)->start();
  if (!started) return fail(started.error().message, 1);
  print_where(*bootstrap, admin.url());
  const int status = (*master)->run();
  admin.stop();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("proxyd, a caching reverse proxy and load balancer");
  app.set_version_flag("--version", "proxyd 0.1.0");
  app.require_subcommand(1);
  CLI::App* command = app.add_subcommand("run", "Run in the foreground");
  master::Flags flags;
  bool print_config = false;
  bool check_only = false;
  const auto value = [&](const char* flag, const char* key, const char* text) {
    command->add_option_function<std::string>(flag, [&flags, key](const std::string& given) { flags.values[key] = given; }, text);
  };
  command->add_option("--bootstrap", flags.bootstrap_file, "Bootstrap file (/etc/proxyd/proxyd.yaml)");
  command->add_option("--config", flags.config, "Document that becomes revision 1 of an empty store");
  command->add_option("--listen", flags.listen, "Quick start: where to listen, as :8080");
  command->add_option("--upstream", flags.upstream, "Quick start: where requests go, as HOST:PORT");
  value("--state-dir", "state_dir", "Folder of the database");
  value("--run-dir", "run_dir", "Folder of the admin socket");
  value("--admin", "admin.tcp.address", "Admin address HOST:PORT, or off");
  value("--workers", "workers", "Worker processes, or auto");
  value("--cache", "cache_ceiling", "Ceiling of the cache's memory");
  command->add_flag("--print-config", print_config, "Print each bootstrap value and its origin");
  command->add_flag("--check", check_only, "Check bootstrap and document; exit 0 or 7");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return run(flags, print_config, check_only);
}
