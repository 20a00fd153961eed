#include "master/configuration.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include "master/log_files.h"
#include "shared/config/snapshot.h"

namespace proxyd::master {
namespace {

constexpr milliseconds kAcknowledge{5000};
constexpr milliseconds kLookup{2000};

using Kind = Configuration::Failure::Kind;

Configuration::Failure refused(std::string message, std::string pointer = {}, int worker = -1) {
  return {Kind::kActivationFailed, std::move(message), std::move(pointer), worker};
}

Configuration::Failure of_store(const store::Failure& failure) {
  switch (failure.kind) {
    case store::Failure::Kind::kBusy: return {Kind::kStoreBusy, failure.message, "", -1};
    case store::Failure::Kind::kFull: return {Kind::kStoreFull, failure.message, "", -1};
    case store::Failure::Kind::kConflict: return {Kind::kChangedMeanwhile, failure.message, "", -1};
    default: return {Kind::kStoreFailed, failure.message, "", -1};
  }
}

// The files that header values name.
void collect_files(const config::FieldEdits& edits, std::set<std::string>& files) {
  for (const auto* values : {&edits.set, &edits.add, &edits.if_absent}) {
    for (const auto& [name, value] : *values) {
      if (value.is_file) files.insert(value.text);
    }
  }
}

Result<std::map<std::string, std::string>> read_files(const config::Document& document) {
  std::set<std::string> names;
  const auto collect = [&names](const config::HeaderEdits& edits) {
    collect_files(edits.request, names);
    collect_files(edits.response, names);
  };
  collect(document.headers);
  for (const auto& [host_name, host] : document.hosts) {
    collect(host.headers);
    for (const config::Route& route : host.routes) collect(route.headers);
  }
  std::map<std::string, std::string> contents;
  for (const std::string& name : names) {
    std::ifstream file(name);
    if (!file) return Error{fmt::format("file {} that a header value names cannot be read", name)};
    std::string content{std::istreambuf_iterator<char>(file), {}};
    while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.pop_back();
    if (content.size() > 16384 || content.find_first_of("\r\n") != std::string::npos || content.find('\0') != std::string::npos) {
      return Error{fmt::format("file {} is no header value: one line of at most 16 KiB", name)};
    }
    contents[name] = std::move(content);
  }
  return contents;
}

}  // namespace

void test_stop([[maybe_unused]] const char* step) {
#ifdef PROXYD_TEST_HOOKS
  const char* wanted = ::getenv("PROXYD_TEST_STOP");
  if (wanted && std::strcmp(wanted, step) == 0) ::kill(::getpid(), SIGSTOP);
#endif
}

std::shared_ptr<const ActiveConfiguration> Configuration::active() const {
  const std::lock_guard lock(active_mutex_);
  return active_;
}

void Configuration::install(std::shared_ptr<const ActiveConfiguration> next) {
  const std::lock_guard lock(active_mutex_);
  active_ = std::move(next);
}

// "target:app/app1:admission" and "target:app/app1:weight".
void Configuration::add_overrides(config::Materials& materials, const config::Document& document) {
  auto overrides = parts_.store.overrides();
  if (!overrides) return parts_.log.error("overrides cannot be read: {}", overrides.error().message);
  for (const store::Override& one : *overrides) {
    if (!one.subject.starts_with("target:")) continue;
    const size_t end = one.subject.rfind(':');
    const auto material = materials.targets.find(one.subject.substr(7, end - 7));
    if (material == materials.targets.end()) continue;
    if (one.kind == "drain") material->second.admission = config::Admission::kDraining;
    if (one.kind == "maintenance") material->second.admission = config::Admission::kMaintenance;
    if (one.kind == "weight") material->second.weight = static_cast<uint32_t>(std::strtoul(one.value.c_str(), nullptr, 10));
  }
  (void)document;
}

Result<std::shared_ptr<Publication>, Configuration::Failure> Configuration::compile(ActiveConfiguration& next, milliseconds bind_patience) {
  auto materials = parts_.regions.assign_rows(next.document, next.revision.number);
  if (!materials) return refused(materials.error().message);
  auto files = read_files(next.document);
  if (!files) return refused(files.error().message);
  materials->files = std::move(*files);
  std::vector<std::string> names;
  for (const auto& [upstream_name, upstream] : next.document.upstreams) {
    for (const auto& [id, target] : upstream.targets) names.push_back(target.address);
  }
  const auto addresses = parts_.resolver.addresses(names, kLookup);
  for (const auto& [upstream_name, upstream] : next.document.upstreams) {
    for (const auto& [id, target] : upstream.targets) {
      auto& material = materials->targets[upstream_name + "/" + id];
      material.addresses = addresses.at(target.address);
      if (!material.addresses.empty()) continue;
      next.warnings.push_back({fmt::format("/upstreams/{}/targets/{}/address", upstream_name, id), 0, 0, "unresolved", fmt::format("'{}' does not resolve yet: the target is 'checking'", target.address), ""});
    }
  }
  add_overrides(*materials, next.document);
  next.targets = materials->targets;
  auto logs = LogFiles::open(next.document.logging);
  if (!logs) return refused(logs.error().message, "/logging");
  auto sockets = parts_.listeners.prepare(next.document, bind_patience);
  if (!sockets) return refused(sockets.error().message, "/listeners");
  auto snapshot = config::seal({next.revision.number, next.epoch, next.canonical.dump(), std::move(*materials)});
  if (!snapshot) return refused(snapshot.error().message);
  auto publication = std::make_shared<Publication>();
  publication->revision = next.revision.number;
  publication->epoch = next.epoch;
  publication->snapshot = std::move(*snapshot);
  for (const ListeningSocket& socket : *sockets) publication->sockets.push_back({socket.listener, socket.address, duplicate(socket.descriptor)});
  publication->access_logs = std::move(logs->access);
  publication->error_log = std::move(logs->error);
  return publication;
}

// Compile, prepare everywhere, commit, activate everywhere.
Result<size_t, Configuration::Failure> Configuration::publish(std::shared_ptr<ActiveConfiguration> next, milliseconds bind_patience, const std::function<Result<uint64_t, Failure>()>& commit) {
  test_stop("validated");
  auto publication = compile(*next, bind_patience);
  if (!publication) {
    parts_.listeners.discard();
    return publication.error();
  }
  test_stop("sealed");
  const auto undo = [this] {
    parts_.pool.discard();
    parts_.listeners.discard();
  };
  const auto refusal = parts_.pool.prepare(*publication, kAcknowledge);
  if (refusal) {
    undo();
    return refused(refusal->text, refusal->pointer, static_cast<int>(refusal->slot));
  }
  test_stop("prepared");
  const auto committed = commit();
  if (!committed) {
    undo();
    return committed.error();
  }
  test_stop("committed");
  parts_.listeners.commit();
  install(next);
  const size_t acknowledged = parts_.pool.activate(kAcknowledge);
  test_stop("activated");
  return acknowledged;
}

Result<Configuration::Applied, Configuration::Failure> Configuration::apply(Request request) {
  const std::lock_guard lock(change_);
  const auto before = active();
  Applied applied;
  applied.parent = before ? before->revision.number : 0;
  if (request.expected_parent && *request.expected_parent != applied.parent) {
    return Failure{Kind::kChangedMeanwhile, fmt::format("revision {} is active, not {}", applied.parent, *request.expected_parent), "", -1};
  }
  applied.changes = config::diff(before ? before->canonical : config::Json(nullptr), request.decoded.canonical);
  applied.warnings = request.decoded.warnings;
  applied.revision = applied.parent;
  applied.workers = applied.acknowledged = parts_.pool.serving();
  if ((before && applied.changes.empty()) || request.dry_run) return applied;
  auto number = parts_.store.next_revision_number();
  if (!number) return of_store(number.error());
  auto next = std::make_shared<ActiveConfiguration>();
  next->revision = {*number, applied.parent, rfc3339(std::chrono::system_clock::now()), request.author, request.origin, request.message, request.decoded.canonical.dump(), request.source, true};
  next->canonical = std::move(request.decoded.canonical);
  next->document = std::move(request.decoded.document);
  next->epoch = 1;
  const auto commit = [this, &next]() -> Result<uint64_t, Failure> {
    auto committed = parts_.store.commit_revision(next->revision);
    if (!committed) return of_store(committed.error());
    return *committed;
  };
  auto acknowledged = publish(next, request.bind_patience, commit);
  parts_.regions.metrics().cell(metrics::MetricsRegion::kMasterSlot, "proxyd_config_applies_total", acknowledged ? "result=\"applied\"" : "result=\"failed\"").add();
  if (!acknowledged) return acknowledged.error();
  applied.revision = next->revision.number;
  applied.acknowledged = *acknowledged;
  applied.workers = std::max(parts_.pool.serving(), *acknowledged);
  applied.warnings.insert(applied.warnings.end(), next->warnings.begin(), next->warnings.end());
  parts_.log.info("revision {} is active ({} changes, by {})", applied.revision, applied.changes.size(), request.author);
  parts_.events.publish("revision", {{"revision", applied.revision}, {"author", request.author}, {"message", request.message}, {"changes", applied.changes.size()}});
  return applied;
}

Result<bool, Configuration::Failure> Configuration::publish_epoch() {
  const std::lock_guard lock(change_);
  const auto before = active();
  if (!before) return false;
  auto next = std::make_shared<ActiveConfiguration>(*before);
  next->warnings.clear();
  ++next->epoch;
  const auto nothing = []() -> Result<uint64_t, Failure> { return uint64_t{0}; };
  auto acknowledged = publish(std::move(next), milliseconds(0), nothing);
  if (!acknowledged) return acknowledged.error();
  return true;
}

Result<bool, Configuration::Failure> Configuration::resume(milliseconds bind_patience) {
  const std::lock_guard lock(change_);
  auto revision = parts_.store.active_revision();
  if (!revision) return of_store(revision.error());
  if (!*revision) return false;
  config::Decoded decoded = config::decode((*revision)->canonical, config::Format::kJson);
  if (!decoded.valid()) return refused(fmt::format("the stored revision {} is not valid for this build: {}", (*revision)->number, decoded.problems.front().message), decoded.problems.front().pointer);
  auto next = std::make_shared<ActiveConfiguration>();
  next->revision = **revision;
  next->canonical = std::move(decoded.canonical);
  next->document = std::move(decoded.document);
  next->epoch = 1;
  const auto nothing = []() -> Result<uint64_t, Failure> { return uint64_t{0}; };
  auto published = publish(std::move(next), bind_patience, nothing);
  if (!published) return published.error();
  return true;
}

Result<bool, Configuration::Failure> Configuration::put_override(const store::Override& value) {
  auto put = parts_.store.put_override(value);
  if (!put) return of_store(put.error());
  return publish_epoch();
}

Result<bool, Configuration::Failure> Configuration::clear_override(const std::string& subject) {
  auto removed = parts_.store.remove_override(subject);
  if (!removed) return of_store(removed.error());
  if (!*removed) return false;
  return publish_epoch();
}

void Configuration::expire_overrides() {
  auto overrides = parts_.store.overrides();
  const auto now_active = active();
  if (!overrides || !now_active) return;
  const std::string now = rfc3339(std::chrono::system_clock::now());
  bool changed = false;
  for (const store::Override& one : *overrides) {
    const bool expired = !one.expires.empty() && one.expires <= now;
    const bool of_target = one.subject.starts_with("target:");
    const size_t end = one.subject.rfind(':');
    const bool gone = of_target && !now_active->targets.contains(one.subject.substr(7, end - 7));
    if (!expired && !gone) continue;
    (void)parts_.store.remove_override(one.subject);
    changed = changed || expired;
  }
  if (changed) (void)publish_epoch();
}

}  // namespace proxyd::master
