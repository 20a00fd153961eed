#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/result.h"

namespace proxyd::master {

// What must be known before the store can be opened: flags over PROXYD_* over the bootstrap file
// over defaults. A value, made once at start; changing it takes a restart.
struct Bootstrap {
  std::string state_dir = "/var/lib/proxyd";
  std::string run_dir = "/run/proxyd";
  std::string config_source = "database";   // database | file
  std::string config_file = "/etc/proxyd/site.yaml";
  std::optional<int> workers;                   // none: one a processor
  uint64_t cache_ceiling = uint64_t{4} << 30;   // octets of the cache's region
  milliseconds shutdown_delay{0};
  milliseconds shutdown_grace{60'000};
  std::string admin_group = "proxyd";   // admin.unix.group
  std::vector<std::pair<std::string, std::string>> admin_grants = {{"proxyd-ops", "operator"},
                                                                   {"proxyd-view", "viewer"}};   // group → role
  std::string admin_address = "127.0.0.1:9191";                                                  // or "off"
  std::vector<std::string> admin_hostnames = {"localhost"};
  bool read_only = false;
  bool require_if_match = false;
  std::string metrics_address = "off";
  std::string dns_servers = "system";   // or addresses, by commas

  // From flags alone.
  std::string listen;   // quick start
  std::string upstream;
  std::string imported_config;    // --config: revision 1 of an empty store
  bool temporary_state = false;   // state_dir is ours to remove

  std::map<std::string, std::string> origins;   // key → "flag", "environment", "file", "default"

  int worker_count() const;
  std::string admin_socket() const { return run_dir + "/admin.sock"; }
  // Each value and where it is from, one a line.
  std::string describe() const;
};

// What flags said; empty members were not given.
struct Flags {
  std::string bootstrap_file;
  std::map<std::string, std::string> values;   // bootstrap key → text
  std::string listen;
  std::string upstream;
  std::string config;
};

// Fails with a line for each fault: the key, its origin and what would be right. Changes nothing.
Result<Bootstrap> load_bootstrap(const Flags& flags);
// For a quick start that names no state folder: one of its own, which goes at the end.
Result<void> make_temporary_folders(Bootstrap& bootstrap);

}   // namespace proxyd::master
