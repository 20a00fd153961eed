#include "master/bootstrap.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "master/bootstrap_keys.h"
#include "shared/config/node.h"
#include "shared/config/schema.h"

namespace proxyd::master {
namespace {

constexpr const char* kDefaultFile = "/etc/proxyd/proxyd.yaml";
constexpr int kMostWorkers = 64;

bool is_scalar(const config::Node& node) {
  return node.kind != config::Node::Kind::kMap && node.kind != config::Node::Kind::kList;
}

// Takes values, layer by layer, and keeps every fault, so that all are told at once.
class Loader {
 public:
  void take(const BootstrapKey& key, const std::string& text, const std::string& origin, const std::string& where) {
    const std::string fault = key.set(bootstrap, text);
    if (!fault.empty()) return add_fault(fmt::format("{}: {} '{}' {}", where, key.name, text, fault));
    bootstrap.origins[std::string(key.name)] = origin;
  }

  void take_file(const config::Node& map, const std::string& prefix, const std::string& file) {
    if (map.kind != config::Node::Kind::kMap)
      return add_fault(fmt::format("{}:{}:{}: {} must be a map", file, map.line, map.column,
                                   prefix.empty() ? "the bootstrap" : prefix));
    for (const config::Member& member : map.members) {
      const std::string name = prefix.empty() ? member.key.text : prefix + "." + member.key.text;
      take_member(name, member.value, file, fmt::format("{}:{}:{}", file, member.key.line, member.key.column));
    }
  }

  void add_fault(const std::string& fault) { faults += (faults.empty() ? "" : "\n") + fault; }

  Bootstrap bootstrap;
  std::string faults;

 private:
  void take_member(const std::string& name, const config::Node& value, const std::string& file,
                   const std::string& where) {
    const auto& keys = bootstrap_keys();
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&name](const BootstrapKey& one) { return one.name == name; });
    if (name == "admin.tcp.tls") {
      if (value.kind != config::Node::Kind::kNull)
        add_fault(where + ": not supported yet: admin.tcp.tls; leave it out");
    } else if (key != keys.end() && key->list) {
      take_list(*key, value, where);
    } else if (key != keys.end() && (!is_scalar(value) || value.kind == config::Node::Kind::kNull)) {
      add_fault(fmt::format("{}: {} must be a single value", where, name));
    } else if (key != keys.end()) {
      take(*key, value.text, "file", where);
    } else if (std::any_of(keys.begin(), keys.end(),
                           [&name](const BootstrapKey& one) { return one.name.starts_with(name + "."); })) {
      take_file(value, name, file);
    } else {
      add_fault(fmt::format("{}: unknown key '{}'{}", where, name, meant(name)));
    }
  }

  // Of names, or of grants as { group: NAME, role: ROLE }.
  void take_list(const BootstrapKey& key, const config::Node& value, const std::string& where) {
    if (value.kind != config::Node::Kind::kList)
      return add_fault(fmt::format("{}: {} must be a list", where, key.name));
    std::string text;
    for (const config::Node& item : value.items) {
      const config::Node* group = item.find("group");
      const config::Node* role = item.find("role");
      const bool grant = group && role && item.members.size() == 2;
      if (!grant && !is_scalar(item))
        return add_fault(
            fmt::format("{}: {} holds {{ group: NAME, role: viewer | operator | deployer | admin }}", where, key.name));
      text += (text.empty() ? "" : ",") + (grant ? group->text + ":" + role->text : item.text);
    }
    take(key, text, "file", where);
  }

  static std::string meant(const std::string& name) {
    std::vector<std::string_view> names;
    for (const BootstrapKey& key : bootstrap_keys()) names.push_back(key.name);
    const std::string_view near = config::nearest(name, names);
    return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
  }
};

void load_file(Loader& loader, const Flags& flags) {
  const bool given = !flags.bootstrap_file.empty();
  const std::string path = given ? flags.bootstrap_file : kDefaultFile;
  std::ifstream file(path);
  if (!file && given) return loader.add_fault(fmt::format("the bootstrap file {} cannot be read", path));
  if (!file) return;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const config::Read read =
      config::guess_format(text) == config::Format::kJson ? config::read_json(text) : config::read_yaml(text);
  for (const config::Problem& problem : read.problems)
    loader.add_fault(fmt::format("{}:{}:{}: {}", path, problem.line, problem.column, problem.message));
  if (read.problems.empty() && read.root.kind != config::Node::Kind::kNull) loader.take_file(read.root, "", path);
}

// What no single value can know.
void check_together(Loader& loader) {
  const Bootstrap& bootstrap = loader.bootstrap;
  if (bootstrap.listen.empty() != bootstrap.upstream.empty())
    loader.add_fault("--listen and --upstream go together: --listen :8080 --upstream HOST:PORT");
  const bool two_documents = !bootstrap.imported_config.empty() && !bootstrap.listen.empty();
  if (two_documents)
    loader.add_fault("--config is a whole document, --listen and --upstream are another: give one of the two");
  const bool from_file = bootstrap.config_source == "file";
  if (from_file && !bootstrap.listen.empty())
    loader.add_fault(
        fmt::format("--listen and --upstream make a document, but config_source is 'file': {} is the document",
                    bootstrap.config_file));
  if (from_file && !bootstrap.imported_config.empty())
    loader.add_fault(
        fmt::format("--config is for config_source 'database'; it is 'file': name the document with PROXYD_CONFIG_FILE "
                    "or the key config_file, now {}",
                    bootstrap.config_file));
}

// A folder that a flag names is meant from where the command was typed.
std::string from_here(const BootstrapKey& key, const std::string& text) {
  const bool folder = key.name == "state_dir" || key.name == "run_dir";
  std::error_code error;
  const auto whole = std::filesystem::absolute(text, error).lexically_normal();
  return folder && !text.empty() && !error ? whole.string() : text;
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

}   // namespace

int Bootstrap::worker_count() const {
  if (workers) return *workers;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMostWorkers);
}

std::string Bootstrap::describe() const {
  std::string text;
  for (const BootstrapKey& key : bootstrap_keys()) {
    const auto origin = origins.find(std::string(key.name));
    text += fmt::format("{:<24} {:<28} ({})\n", key.name, key.show(*this),
                        origin == origins.end() ? "default" : origin->second);
  }
  return text;
}

Result<Bootstrap> load_bootstrap(const Flags& flags) {
  Loader loader;
  load_file(loader, flags);
  for (const BootstrapKey& key : bootstrap_keys()) {
    const std::string variable(key.variable);
    const char* value = ::getenv(variable.c_str());
    if (value) loader.take(key, value, "environment", variable);
    const auto flag = flags.values.find(std::string(key.name));
    if (flag != flags.values.end()) loader.take(key, from_here(key, flag->second), "flag", "flag");
  }
  Bootstrap& bootstrap = loader.bootstrap;
  bootstrap.listen = flags.listen;
  bootstrap.upstream = flags.upstream;
  bootstrap.imported_config = flags.config;
  check_together(loader);
  if (!loader.faults.empty()) return Error{loader.faults};
  return std::move(bootstrap);
}

Result<void> make_temporary_folders(Bootstrap& bootstrap) {
  const std::string fault = bootstrap.listen.empty() ? "" : prepare_quick_start(bootstrap);
  if (!fault.empty()) return Error{fault};
  return {};
}

}   // namespace proxyd::master
