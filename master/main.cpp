#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "master/admin/server.h"
#include "master/bootstrap.h"
#include "master/master.h"
#include "shared/base/log.h"
#include "shared/config/decode.h"
#include "shared/config/units.h"

namespace {

using namespace proxyd;

constexpr int kInvalid = 7;
constexpr int kConflict = 6;

int fail(const std::string& message, int code) {
  std::fprintf(stderr, "error: %s\n", message.c_str());
  return code;
}

int report(const std::string& name, config::Decoded decoded, const master::Bootstrap& bootstrap) {
  const auto& memory = decoded.document.cache.memory;
  if (decoded.valid() && memory && *memory > bootstrap.cache_ceiling)
    decoded.problems.push_back({"/cache/memory", 0, 0, "above-ceiling",
                                fmt::format("{} is above cache_ceiling, {}", config::format_size(*memory),
                                            config::format_size(bootstrap.cache_ceiling)),
                                ""});
  for (const config::Problem& problem : decoded.problems)
    std::fprintf(stderr, "error: %s\n", master::describe(name, problem).c_str());
  for (const config::Problem& warning : decoded.warnings)
    std::fprintf(stderr, "warning: %s\n", master::describe(name, warning).c_str());
  if (decoded.valid()) fmt::print("{} is valid\n", name);
  return decoded.valid() ? 0 : kInvalid;
}

// --check: the bootstrap, and the document that a start would bring into force. Starts and changes nothing.
int check(const master::Bootstrap& bootstrap) {
  fmt::print("the bootstrap is valid\n");
  const bool from_file = bootstrap.config_source == "file";
  const std::string path = !bootstrap.imported_config.empty() ? bootstrap.imported_config
                           : from_file                        ? bootstrap.config_file
                                                              : "";
  if (!path.empty()) {
    const auto read = master::read_document_file(path);
    if (read) return report(path, read->decoded, bootstrap);
    if (read.error().problems.empty()) return fail(read.error().message, kInvalid);
    config::Decoded wrong;
    wrong.problems = read.error().problems;
    return report(path, wrong, bootstrap);
  }
  const auto active = store::SqliteStore::peek(bootstrap.state_dir);
  if (!active)
    return fail(fmt::format("the store in {} cannot be read: {}", bootstrap.state_dir, active.error().message),
                kInvalid);
  if (!*active) return fmt::print("there is no active revision yet in {}\n", bootstrap.state_dir), 0;
  return report(fmt::format("revision {}", (*active)->number),
                config::decode((*active)->canonical, config::Format::kJson), bootstrap);
}

void print_where(const master::Bootstrap& bootstrap, const std::string& admin_url) {
  if (bootstrap.listen.empty()) return;
  const std::string site = bootstrap.listen.starts_with(':') ? "127.0.0.1" + bootstrap.listen : bootstrap.listen;
  fmt::print("site:   http://{}/\nadmin:  {}\nproxyctl: PROXYCTL_ADDR=unix:{}\n", site, admin_url,
             bootstrap.admin_socket());
  std::fflush(stdout);
}

int run(const master::Flags& flags, bool print_config, bool check_only) {
  auto bootstrap = master::load_bootstrap(flags);
  if (!bootstrap) return fail(bootstrap.error().message, kInvalid);
  if (print_config) return fmt::print("{}", bootstrap->describe()), 0;
  if (check_only) return check(*bootstrap);
  const auto folders = master::make_temporary_folders(*bootstrap);
  if (!folders) return fail(folders.error().message, 1);
  Log log(2, "proxyd");
  auto master = master::Master::create(*bootstrap, log);
  if (!master)
    return fail(master.error().message,
                master.error().kind == master::Master::StartError::Kind::kInUse ? kConflict : 1);
  admin::AdminServer admin(**master);
  const auto listening = admin.start();
  if (!listening) return fail(listening.error().message, 1);
  const auto started = (*master)->start();
  if (!started) return fail(started.error().message, started.error().problems.empty() ? 1 : kInvalid);
  print_where(*bootstrap, admin.url());
  const int status = (*master)->run();
  admin.stop();
  return status;
}

}   // namespace

int main(int argc, char** argv) {
  CLI::App app("proxyd, a caching reverse proxy and load balancer");
  app.set_version_flag("--version", "proxyd " PROXYD_VERSION);
  app.require_subcommand(1);
  CLI::App* command = app.add_subcommand("run", "Run in the foreground");
  master::Flags flags;
  bool print_config = false;
  bool check_only = false;
  const auto value = [&](const char* flag, const char* key, const char* text) {
    command->add_option_function<std::string>(
        flag, [&flags, key](const std::string& given) { flags.values[key] = given; }, text);
  };
  command->add_option("--bootstrap", flags.bootstrap_file, "Bootstrap file (/etc/proxyd/proxyd.yaml)");
  command->add_option("--config", flags.config, "Document that becomes revision 1 of an empty store");
  command->add_option("--listen", flags.listen, "Quick start: where to listen, as :8080");
  command->add_option("--upstream", flags.upstream, "Quick start: where requests go, as HOST:PORT");
  value("--state-dir", "state_dir", "Folder of the database");
  value("--run-dir", "run_dir", "Folder of the admin socket");
  value("--admin", "admin.tcp.address", "Admin address HOST:PORT, or off");
  value("--workers", "workers", "Worker processes, or auto");
  value("--cache", "cache_ceiling", "Ceiling of the cache's memory: its fixed size, as 4GiB");
  command->add_flag("--print-config", print_config, "Print each bootstrap value and its origin");
  command->add_flag("--check", check_only, "Check bootstrap and document; exit 0 or 7");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return run(flags, print_config, check_only);
}
