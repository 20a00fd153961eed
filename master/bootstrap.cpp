#include "master/bootstrap.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "shared/config/endpoint.h"
#include "shared/config/node.h"
#include "shared/config/units.h"

namespace proxyd::master {
namespace {

constexpr const char* kDefaultFile = "/etc/proxyd/proxyd.yaml";
constexpr int kMostWorkers = 64;

// One scalar key: how a text becomes the value, and how the value is shown. Empty on success.
struct Scalar {
  std::string_view key;
  std::string_view environment;
  std::function<std::string(Bootstrap&, const std::string&)> set;
  std::function<std::string(const Bootstrap&)> show;
};

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

std::string set_ceiling(Bootstrap& bootstrap, const std::string& text) {
  const auto size = config::parse_size(text);
  if (!size || *size < (8u << 20)) return "must be a size of 8MiB at least, as \"4GiB\"";
  bootstrap.cache_ceiling = *size;
  return {};
}

const std::vector<Scalar>& scalars() {
  using B = Bootstrap;
  using S = const std::string&;
  static const std::vector<Scalar> all = {
      {"state_dir", "PROXYD_STATE_DIR", [](B& b, S t) { return set_path(b.state_dir, t); }, [](const B& b) { return b.state_dir; }},
      {"run_dir", "PROXYD_RUN_DIR", [](B& b, S t) { return set_path(b.run_dir, t); }, [](const B& b) { return b.run_dir; }},
      {"config_source", "PROXYD_CONFIG_SOURCE", set_source, [](const B& b) { return b.config_source; }},
      {"config_file", "PROXYD_CONFIG_FILE", [](B& b, S t) { return set_path(b.config_file, t); }, [](const B& b) { return b.config_file; }},
      {"workers", "PROXYD_WORKERS", set_workers, [](const B& b) { return b.workers ? std::to_string(*b.workers) : "auto"; }},
      {"cache_ceiling", "PROXYD_CACHE_CEILING", set_ceiling, [](const B& b) { return config::format_size(b.cache_ceiling); }},
      {"shutdown.delay", "PROXYD_SHUTDOWN_DELAY", [](B& b, S t) { return set_duration(b.shutdown_delay, t); }, [](const B& b) { return config::format_duration(b.shutdown_delay.count()); }},
      {"shutdown.grace", "PROXYD_SHUTDOWN_GRACE", [](B& b, S t) { return set_duration(b.shutdown_grace, t); }, [](const B& b) { return config::format_duration(b.shutdown_grace.count()); }},
      {"upgrade.drain", "PROXYD_UPGRADE_DRAIN", [](B& b, S t) { return set_duration(b.upgrade_drain, t); }, [](const B& b) { return config::format_duration(b.upgrade_drain.count()); }},
      {"upgrade.probation", "PROXYD_UPGRADE_PROBATION", [](B& b, S t) { return set_duration(b.upgrade_probation, t); }, [](const B& b) { return config::format_duration(b.upgrade_probation.count()); }},
      {"admin.unix.group", "PROXYD_ADMIN_GROUP", [](B& b, S t) { return b.admin_group = t, std::string(); }, [](const B& b) { return b.admin_group; }},
      {"admin.tcp.address", "PROXYD_ADMIN", [](B& b, S t) { return set_address(b.admin_address, t); }, [](const B& b) { return b.admin_address; }},
      {"admin.read_only", "PROXYD_ADMIN_READ_ONLY", [](B& b, S t) { return set_boolean(b.read_only, t); }, [](const B& b) { return b.read_only ? "true" : "false"; }},
      {"admin.require_if_match", "PROXYD_ADMIN_REQUIRE_IF_MATCH", [](B& b, S t) { return set_boolean(b.require_if_match, t); }, [](const B& b) { return b.require_if_match ? "true" : "false"; }},
      {"metrics.address", "PROXYD_METRICS", [](B& b, S t) { return set_address(b.metrics_address, t); }, [](const B& b) { return b.metrics_address; }},
  };
  return all;
}

const Scalar* find_scalar(std::string_view key) {
  for (const Scalar& scalar : scalars()) {
    if (scalar.key == key) return &scalar;
  }
  return nullptr;
}

class Loader {
 public:
  std::string take(const std::string& key, const std::string& text, const std::string& origin, const std::string& where) {
    const Scalar* scalar = find_scalar(key);
    if (!scalar) return fmt::format("{}: unknown key '{}'", where, key);
    const std::string fault = scalar->set(bootstrap, text);
    if (!fault.empty()) return fmt::format("{}: {} '{}' {}", where, key, text, fault);
    bootstrap.origins[key] = origin;
    return {};
  }

  std::string take_node(const config::Node& node, const std::string& prefix, const std::string& file) {
    for (const config::Member& member : node.members) {
      const std::string key = prefix.empty() ? member.key.text : prefix + "." + member.key.text;
      const std::string where = fmt::format("{}:{}:{}", file, member.key.line, member.key.column);
      std::string fault;
      if (key == "admin.unix.grants") {
        fault = take_grants(member.value, where);
      } else if (key == "admin.tcp.hostnames") {
        bootstrap.admin_hostnames.clear();
        for (const config::Node& item : member.value.items) bootstrap.admin_hostnames.push_back(item.text);
      } else if (key == "admin.tcp.tls") {
        if (member.value.kind != config::Node::Kind::kNull) fault = where + ": not supported yet: admin.tcp.tls";
      } else if (member.value.kind == config::Node::Kind::kMap) {
        fault = take_node(member.value, key, file);
      } else {
        fault = take(key, member.value.text, "file", where);
      }
      if (!fault.empty()) return fault;
    }
    return {};
  }

  Bootstrap bootstrap;

 private:
  std::string take_grants(const config::Node& list, const std::string& where) {
    for (const config::Node& item : list.items) {
      const config::Node* group = item.find("group");
      const config::Node* role = item.find("role");
      if (!group || !role) return where + ": a grant is { group: NAME, role: viewer | operator | deployer | admin }";
      bootstrap.admin_grants.emplace_back(group->text, role->text);
    }
    return {};
  }
};

std::string load_file(Loader& loader, const Flags& flags) {
  const bool given = !flags.bootstrap_file.empty();
  const std::string path = given ? flags.bootstrap_file : kDefaultFile;
  std::ifstream file(path);
  if (!file) return given ? fmt::format("the bootstrap file {} cannot be read", path) : "";
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const config::Read read = config::guess_format(text) == config::Format::kJson ? config::read_json(text) : config::read_yaml(text);
  if (!read.problems.empty()) {
    const config::Problem& first = read.problems.front();
    return fmt::format("{}:{}:{}: {}", path, first.line, first.column, first.message);
  }
  return loader.take_node(read.root, "", path);
}

// Quick start: state in a folder of its own that goes at the end, unless one was named.
std::string prepare_quick_start(Bootstrap& bootstrap) {
  const bool named = bootstrap.origins.contains("state_dir");
  if (named) return {};
  std::string pattern = "/tmp/proxyd-XXXXXX";
  if (!::mkdtemp(pattern.data())) return "no temporary folder can be made under /tmp";
  bootstrap.temporary_state = true;
  bootstrap.state_dir = pattern;
  if (!bootstrap.origins.contains("run_dir")) bootstrap.run_dir = pattern;
  return {};
}

}  // namespace

int Bootstrap::worker_count() const {
  if (workers) return *workers;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMostWorkers);
}

std::string Bootstrap::describe() const {
  std::string text;
  for (const Scalar& scalar : scalars()) {
    const auto origin = origins.find(std::string(scalar.key));
    text += fmt::format("{:<24} {:<28} ({})\n", scalar.key, scalar.show(*this), origin == origins.end() ? "default" : origin->second);
  }
  return text;
}

Result<Bootstrap> load_bootstrap(const Flags& flags) {
  Loader loader;
  std::string fault = load_file(loader, flags);
  if (!fault.empty()) return Error{fault};
  for (const Scalar& scalar : scalars()) {
    const char* value = ::getenv(std::string(scalar.environment).c_str());
    if (!value) continue;
    fault = loader.take(std::string(scalar.key), value, "environment", std::string(scalar.environment));
    if (!fault.empty()) return Error{fault};
  }
  for (const auto& [key, value] : flags.values) {
    fault = loader.take(key, value, "flag", "flag");
    if (!fault.empty()) return Error{fault};
  }
  Bootstrap& bootstrap = loader.bootstrap;
  bootstrap.listen = flags.listen;
  bootstrap.upstream = flags.upstream;
  bootstrap.imported_config = flags.config;
  if (flags.listen.empty() != flags.upstream.empty()) return Error{"--listen and --upstream go together: --listen :8080 --upstream HOST:PORT"};
  if (!flags.listen.empty()) fault = prepare_quick_start(bootstrap);
  if (!fault.empty()) return Error{fault};
  if (bootstrap.config_source == "file" && bootstrap.config_file.empty()) return Error{"config_source is 'file', but config_file is not set"};
  return bootstrap;
}

}  // namespace proxyd::master
