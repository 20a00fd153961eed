#include "master/bootstrap_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "shared/cache/region_view.h"
#include "shared/config/cidr.h"
#include "shared/config/endpoint.h"
#include "shared/config/model.h"
#include "shared/config/units.h"

namespace proxyd::master {
namespace {

constexpr int kMostWorkers = 64;

// A document may give the cache whatever ceiling there can be.
static_assert(config::kLeastCacheMemory == cache::Geometry::kLeastCeiling);
static_assert(config::kMostCacheMemory == cache::Geometry::kMostCeiling);

std::string set_duration(milliseconds& value, const std::string& text) {
  const auto parsed = config::parse_duration(text);
  if (!parsed) return "is no duration; write \"30s\" or \"1h\"";
  value = milliseconds(*parsed);
  return {};
}

std::string set_boolean(bool& value, const std::string& text) {
  if (text != "true" && text != "false") return "must be true or false";
  value = text == "true";
  return {};
}

std::string set_path(std::string& value, const std::string& text) {
  if (!text.starts_with('/')) return "must be an absolute path";
  value = text;
  return {};
}

std::string set_workers(Bootstrap& bootstrap, const std::string& text) {
  if (text == "auto") return bootstrap.workers.reset(), "";
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > kMostWorkers) {
    return fmt::format("must be auto or a number from 1 to {}", kMostWorkers);
  }
  bootstrap.workers = count;
  return {};
}

std::string set_ceiling(Bootstrap& bootstrap, const std::string& text) {
  using cache::Geometry;
  const auto size = config::parse_size(text);
  if (!size) return "is no size; write \"512MiB\" or \"4GiB\"";
  if (*size < Geometry::kLeastCeiling || *size > Geometry::kMostCeiling)
    return fmt::format("must lie between {} and {}", config::format_size(Geometry::kLeastCeiling),
                       config::format_size(Geometry::kMostCeiling));
  bootstrap.cache_ceiling = *size;
  return {};
}

std::string set_address(std::string& value, const std::string& text) {
  if (text != "off" && !config::Endpoint::parse(text)) return "must be \"host:port\" or off";
  value = text;
  return {};
}

std::string set_source(Bootstrap& bootstrap, const std::string& text) {
  if (text != "database" && text != "file") return "must be database or file";
  bootstrap.config_source = text;
  return {};
}

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    parts.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string set_hostnames(Bootstrap& bootstrap, const std::string& text) {
  bootstrap.admin_hostnames = parts_of(text);
  const bool empty = std::any_of(bootstrap.admin_hostnames.begin(), bootstrap.admin_hostnames.end(),
                                 [](const auto& name) { return name.empty(); });
  return empty ? "has an empty name" : "";
}

// "group:role,group:role"
std::string set_grants(Bootstrap& bootstrap, const std::string& text) {
  bootstrap.admin_grants.clear();
  for (const std::string& grant : parts_of(text)) {
    const size_t colon = grant.find(':');
    const std::string role = colon == std::string::npos ? "" : grant.substr(colon + 1);
    const bool known = role == "viewer" || role == "operator" || role == "deployer" || role == "admin";
    if (!known || colon == 0)
      return fmt::format("has '{}': a grant is a group and its role, viewer, operator, deployer or admin", grant);
    bootstrap.admin_grants.emplace_back(grant.substr(0, colon), role);
  }
  return {};
}

std::string show_grants(const Bootstrap& bootstrap) {
  std::string text;
  for (const auto& [group, role] : bootstrap.admin_grants) text += (text.empty() ? "" : ",") + group + ":" + role;
  return text;
}

std::string set_servers(Bootstrap& bootstrap, const std::string& text) {
  const auto is_server = [](const std::string& one) {
    const auto endpoint = config::Endpoint::parse(one);
    return config::parse_mapped_address(one) || (endpoint && endpoint->host_is_address);
  };
  bootstrap.dns_servers = text;
  const auto servers = parts_of(text);
  const bool ok = text == "system" || (!servers.empty() && std::all_of(servers.begin(), servers.end(), is_server));
  return ok ? "" : "must be system, for those of /etc/resolv.conf, or addresses, as \"192.0.2.53\" or \"[::1]:5300\"";
}

// A key of a later version: its default may be said, since that changes nothing.
BootstrapKey later(std::string_view name, std::string_view variable, const char* only) {
  return {name, variable,
          [only](Bootstrap&, const std::string& text) -> std::string {
            return text == only ? "" : fmt::format("is not supported yet; leave it out or say {}", only);
          },
          [only](const Bootstrap&) { return only; }};
}

}   // namespace

const std::vector<BootstrapKey>& bootstrap_keys() {
  using B = Bootstrap;
  using S = const std::string&;
  static const std::vector<BootstrapKey> all = {
      {"state_dir", "PROXYD_STATE_DIR", [](B& b, S t) { return set_path(b.state_dir, t); },
       [](const B& b) { return b.state_dir; }},
      {"run_dir", "PROXYD_RUN_DIR", [](B& b, S t) { return set_path(b.run_dir, t); },
       [](const B& b) { return b.run_dir; }},
      {"config_source", "PROXYD_CONFIG_SOURCE", set_source, [](const B& b) { return b.config_source; }},
      {"config_file", "PROXYD_CONFIG_FILE", [](B& b, S t) { return set_path(b.config_file, t); },
       [](const B& b) { return b.config_file; }},
      {"workers", "PROXYD_WORKERS", set_workers,
       [](const B& b) { return b.workers ? std::to_string(*b.workers) : "auto"; }},
      {"cache_ceiling", "PROXYD_CACHE_CEILING", set_ceiling,
       [](const B& b) { return config::format_size(b.cache_ceiling); }},
      {"shutdown.delay", "PROXYD_SHUTDOWN_DELAY", [](B& b, S t) { return set_duration(b.shutdown_delay, t); },
       [](const B& b) { return config::format_duration(b.shutdown_delay.count()); }},
      {"shutdown.grace", "PROXYD_SHUTDOWN_GRACE", [](B& b, S t) { return set_duration(b.shutdown_grace, t); },
       [](const B& b) { return config::format_duration(b.shutdown_grace.count()); }},
      later("upgrade.drain", "PROXYD_UPGRADE_DRAIN", "1h"),
      later("upgrade.probation", "PROXYD_UPGRADE_PROBATION", "10s"),
      {"admin.unix.group", "PROXYD_ADMIN_GROUP", [](B& b, S t) { return b.admin_group = t, std::string(); },
       [](const B& b) { return b.admin_group; }},
      {"admin.unix.grants", "PROXYD_ADMIN_GRANTS", set_grants, show_grants, true},
      {"admin.tcp.address", "PROXYD_ADMIN", [](B& b, S t) { return set_address(b.admin_address, t); },
       [](const B& b) { return b.admin_address; }},
      {"admin.tcp.hostnames", "PROXYD_ADMIN_HOSTNAMES", set_hostnames,
       [](const B& b) { return fmt::format("{}", fmt::join(b.admin_hostnames, ",")); }, true},
      {"admin.read_only", "PROXYD_ADMIN_READ_ONLY", [](B& b, S t) { return set_boolean(b.read_only, t); },
       [](const B& b) { return b.read_only ? "true" : "false"; }},
      {"admin.require_if_match", "PROXYD_ADMIN_REQUIRE_IF_MATCH",
       [](B& b, S t) { return set_boolean(b.require_if_match, t); },
       [](const B& b) { return b.require_if_match ? "true" : "false"; }},
      {"metrics.address", "PROXYD_METRICS", [](B& b, S t) { return set_address(b.metrics_address, t); },
       [](const B& b) { return b.metrics_address; }},
      {"dns.servers", "PROXYD_DNS_SERVERS", set_servers, [](const B& b) { return b.dns_servers; }, true},
  };
  return all;
}

}   // namespace proxyd::master
