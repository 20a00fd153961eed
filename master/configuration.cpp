#include "master/configuration.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "master/joined_targets.h"
#include "master/site_override.h"
#include "shared/config/snapshot.h"
#include "shared/config/units.h"
#include "shared/metrics/labels.h"

namespace proxyd::master {
namespace {

constexpr milliseconds kAcknowledge{5000};

using Kind = Configuration::Failure::Kind;

// Whether the document still names what the override is about.
bool is_named(const store::Override& one, const config::Document& document) {
  if (const auto site = SiteSubject::parse(one.subject)) return is_site_named(*site, one, document);
  const auto subject = TargetSubject::parse(one.subject);
  if (!subject) return false;
  const auto upstream = document.upstreams.find(subject->upstream);
  return upstream != document.upstreams.end() && upstream->second.targets.contains(subject->target);
}

// Whether it is in force by the snapshot, and not by the master alone.
bool is_in_snapshot(const store::Override& one) {
  return TargetSubject::parse(one.subject) || SiteSubject::parse(one.subject);
}

// Takes out of `overrides` those that stay; what is returned does not.
template <class Stays>
std::vector<store::Override> take_out(std::vector<store::Override>& overrides, Stays stays) {
  std::vector<store::Override> staying;
  std::vector<store::Override> gone;
  for (store::Override& one : overrides) (stays(one) ? staying : gone).push_back(std::move(one));
  overrides = std::move(staying);
  return gone;
}

void add_warnings(std::vector<config::Problem>& to, const std::vector<config::Problem>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// What an operator said of the level for now stays; its end brings the document's.
bool is_level_overridden(store::Store& store) {
  const auto overrides = store.overrides();
  const std::string now = rfc3339(std::chrono::system_clock::now());
  return overrides && std::any_of(overrides->begin(), overrides->end(), [&now](const store::Override& one) {
           return one.subject == "log-level" && (one.expires.empty() || one.expires > now);
         });
}

// What the request would bring into force.
std::shared_ptr<ActiveConfiguration> next_of(const ActiveConfiguration* before, uint64_t number,
                                             Configuration::Request& request) {
  auto next = std::make_shared<ActiveConfiguration>();
  next->revision = {number,
                    before ? before->revision.number : 0,
                    rfc3339(std::chrono::system_clock::now()),
                    request.author,
                    request.origin,
                    request.message,
                    request.decoded.canonical.dump(),
                    request.source,
                    true};
  next->canonical = std::move(request.decoded.canonical);
  next->document = std::move(request.decoded.document);
  next->epoch = 1;
  next->versions = object_versions(before ? before->versions : ObjectVersions(),
                                   before ? before->canonical : config::Json(), next->canonical, number);
  if (before) next->overrides = before->overrides;
  return next;
}

}   // namespace

Configuration::Failure Configuration::Failure::of_store(const store::Failure& failure) {
  switch (failure.kind) {
    case store::Failure::Kind::kBusy: return {Kind::kStoreBusy, failure.message, "", -1};
    case store::Failure::Kind::kFull: return {Kind::kStoreFull, failure.message, "", -1};
    case store::Failure::Kind::kConflict: return {Kind::kChangedMeanwhile, failure.message, "", -1};
    default: return {Kind::kStoreFailed, failure.message, "", -1};
  }
}

void test_stop([[maybe_unused]] const char* step) {
#ifdef PROXYD_TEST_HOOKS
  const char* file = ::getenv("PROXYD_TEST_STOP");
  std::string wanted;
  if (file && std::ifstream(file) >> wanted && wanted == step) {
    ::kill(::getpid(), SIGSTOP);
    for (;;) ::pause();   // another thread may have taken the signal: this one goes no further
  }
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

// The master's own lines go where the document says, too. The descriptor stays one, since others may be writing to it.
void Configuration::follow_error_log(const ipc::Publication& publication, const std::string& former,
                                     const std::string& level) {
  if (!error_log_) {
    error_log_ = ipc::duplicate(publication.error_log.value());
  } else {
    ::dup3(publication.error_log.value(), error_log_.value(), O_CLOEXEC);
  }
  parts_.log.set_descriptor(error_log_.value());
  if (level != former && !is_level_overridden(parts_.store))
    parts_.log.set_level(log_level_from(level).value_or(LogLevel::kInfo));
}

Result<UniqueFd, Configuration::Failure> Configuration::sealed_apart(const config::Decoded& decoded,
                                                                     uint64_t revision) {
  constexpr uint32_t kNobodysRow = status::kTargetRows - 1;
  const auto now = active();
  config::Materials materials;
  config::Document document = decoded.document;
  if (now) materials.members = targets_of(now->members);
  config::put_members(document, materials.members);
  for (const auto& [upstream_name, upstream] : document.upstreams) {
    for (const auto& [id, target] : upstream.targets) {
      const std::string name = upstream_name + "/" + id;
      const auto known =
          now ? now->targets.find(name) : std::map<std::string, config::TargetMaterial>::const_iterator{};
      const bool same = now && known != now->targets.end() &&
                        now->document.upstreams.at(upstream_name).targets.at(id).address == target.address;
      materials.targets[name] =
          same ? known->second
               : config::TargetMaterial{{{target.address, kNobodysRow}}, config::Admission::kReady, std::nullopt};
    }
  }
  auto snapshot = config::seal({revision, 0, decoded.canonical.dump(), std::move(materials)});
  if (!snapshot) return Failure::refused(snapshot.error().message);
  return std::move(*snapshot);
}

// What a stored revision says is only warned of: it was right under the ceiling of its time.
std::optional<std::string> Configuration::above_ceiling(const config::Document& document) const {
  const uint64_t ceiling = parts_.regions.cache().ceiling();
  if (!document.cache.memory || *document.cache.memory <= ceiling) return std::nullopt;
  return fmt::format("{} is above cache_ceiling, {}: say less, or start proxyd with a higher --cache",
                     config::format_size(*document.cache.memory), config::format_size(ceiling));
}

// Compile, prepare everywhere, commit, activate everywhere.
Result<size_t, Configuration::Failure> Configuration::publish(std::shared_ptr<ActiveConfiguration> next, const Way& way,
                                                              const Commit& commit) {
  if (closed_) return Failure::refused("proxyd is stopping");
  test_stop("validated");
  auto compiled = compile(*next, way);
  if (!compiled) {
    parts_.listeners.discard();
    return compiled.error();
  }
  test_stop("sealed");
  const auto undo = [this] {
    parts_.pool.discard();
    parts_.listeners.discard();
  };
  if (way.purpose == Purpose::kServing) parts_.regions.add_series(next->document);
  const auto refusal = parts_.pool.prepare(compiled->publication, kAcknowledge);
  if (refusal) {
    undo();
    return Failure::refused(refusal->text, refusal->pointer, static_cast<int>(refusal->slot));
  }
  test_stop("prepared");
  if (const auto failure = commit()) {
    undo();
    return *failure;
  }
  test_stop("committed");
  parts_.listeners.commit();
  parts_.regions.keep(std::move(compiled->rows));
  parts_.resolver.watch(compiled->addresses);
  const auto before = active();
  const std::string former = before ? before->document.logging.error.level : "";
  if (before)
    note_joined({before->document, before->targets}, {next->document, next->targets}, parts_.regions.status(),
                RegionKeeper::heartbeat_now());
  install(next);
  parts_.regions.cache().limit_memory(parts_.regions.cache().memory_of(next->document.cache));
  follow_error_log(*compiled->publication, former, next->document.logging.error.level);
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
    return Failure{Kind::kChangedMeanwhile,
                   fmt::format("revision {} is active, not {}", applied.parent, *request.expected_parent), "", -1};
  }
  applied.changes = config::diff(before ? before->canonical : config::Json(nullptr), request.decoded.canonical);
  applied.warnings = request.decoded.warnings;
  applied.revision = applied.parent;
  applied.workers = applied.acknowledged = parts_.pool.serving();
  if (before && applied.changes.empty()) return applied;
  if (const auto fault = above_ceiling(request.decoded.document)) return Failure::refused(*fault, "/cache/memory");
  auto number = parts_.store.next_revision_number();
  if (!number) return Failure::of_store(number.error());
  const auto next = next_of(before.get(), *number, request);
  if (request.dry_run) next->epoch = 0;   // by which workers know a rehearsal
  store::Dropped dropped;
  if (const auto failure = take_members(*next, before.get(), dropped, applied.warnings)) return *failure;
  dropped.overrides = take_unnamed(*next);
  const auto commit = [this, &next, &dropped, dry_run = request.dry_run]() -> std::optional<Failure> {
    if (dry_run) return Failure{Kind::kRehearsed, "", "", -1};
    auto committed = parts_.store.commit_revision(next->revision, next->versions, dropped);
    if (!committed) return Failure::of_store(committed.error());
    return std::nullopt;
  };
  const Purpose purpose = request.dry_run ? Purpose::kRehearsal : Purpose::kServing;
  auto acknowledged = publish(next, {Again::kEverything, request.bind_patience, purpose}, commit);
  if (!acknowledged && acknowledged.error().kind == Kind::kRehearsed) {
    add_warnings(applied.warnings, next->warnings);
    return applied;
  }
  parts_.regions.metrics()
      .cell(metrics::MetricsRegion::kMasterSlot, "proxyd_config_applies_total",
            metrics::label("result", acknowledged ? "applied" : "failed"))
      .add();
  if (!acknowledged) return acknowledged.error();
  if (!before) drop_stale_members();
  applied.revision = next->revision.number;
  applied.acknowledged = *acknowledged;
  applied.workers = std::max(parts_.pool.serving(), *acknowledged);
  add_warnings(applied.warnings, next->warnings);
  parts_.log.info("revision {} is active ({} changes, by {})", applied.revision, applied.changes.size(),
                  request.author);
  parts_.events.publish("revision", {{"revision", applied.revision},
                                     {"author", request.author},
                                     {"message", request.message},
                                     {"changes", applied.changes.size()}});
  return applied;
}

Result<size_t, Configuration::Failure> Configuration::publish_again(
    const std::function<void(ActiveConfiguration&)>& change, const Commit& commit, Again again, Purpose purpose) {
  const auto before = active();
  if (!before) return Failure::refused("there is no configuration yet");
  auto next = std::make_shared<ActiveConfiguration>(*before);
  next->warnings.clear();
  next->epoch = purpose == Purpose::kRehearsal ? 0 : next->epoch + 1;   // by which workers know a rehearsal
  change(*next);
  return publish(std::move(next), {.read = again, .purpose = purpose}, commit);
}

Result<void, Configuration::Failure> Configuration::publish_epoch(Again again) {
  const std::lock_guard lock(change_);
  if (!active()) return {};
  auto published = publish_again([](ActiveConfiguration&) {}, [] { return std::nullopt; }, again);
  if (!published) return published.error();
  return {};
}

std::vector<store::Override> Configuration::take_unnamed(ActiveConfiguration& next) {
  return take_out(next.overrides, [&next](const store::Override& one) { return is_named(one, next.document); });
}

Result<bool, Configuration::Failure> Configuration::resume(milliseconds bind_patience) {
  const std::lock_guard lock(change_);
  auto revision = parts_.store.active_revision();
  if (!revision) return Failure::of_store(revision.error());
  if (!*revision) return false;
  config::Decoded decoded = config::decode((*revision)->canonical, config::Format::kJson);
  if (!decoded.valid())
    return Failure::refused(fmt::format("the stored revision {} is not valid for this build: {}", (*revision)->number,
                                        decoded.problems.front().message),
                            decoded.problems.front().pointer);
  auto overrides = parts_.store.overrides();
  if (!overrides) return Failure::of_store(overrides.error());
  auto next = std::make_shared<ActiveConfiguration>();
  next->revision = **revision;
  next->canonical = std::move(decoded.canonical);
  next->document = std::move(decoded.document);
  next->epoch = 1;
  auto versions = parts_.store.object_versions();
  if (!versions) return Failure::of_store(versions.error());
  next->versions = object_versions(*versions, next->canonical, next->canonical, next->revision.number);
  take_out(*overrides, is_in_snapshot);
  next->overrides = std::move(*overrides);
  store::Dropped gone;
  if (const auto failure = take_members(*next, nullptr, gone, next->warnings)) return *failure;
  const auto dropped = take_unnamed(*next);
  auto published = publish(std::move(next), {Again::kEverything, bind_patience}, [] { return std::nullopt; });
  if (!published) return published.error();
  for (const config::Problem& warning : active()->warnings) {
    if (warning.pointer.starts_with("/certificates/")) parts_.log.warning("{}", warning.message);
  }
  drop_from_store(dropped);
  drop_stale_members();
  return true;
}

Result<void, Configuration::Failure> Configuration::put_override(const store::Override& value) {
  const std::lock_guard lock(change_);
  const auto before = active();
  if (!before || !is_named(value, before->document))
    return Failure{Kind::kChangedMeanwhile, "what the override is about has gone", "", -1};
  const auto change = [&value](ActiveConfiguration& next) {
    take_out(next.overrides, [&value](const store::Override& one) { return one.subject != value.subject; });
    next.overrides.push_back(value);
  };
  const auto commit = [this, &value]() -> std::optional<Failure> {
    auto put = parts_.store.put_override(value);
    if (!put) return Failure::of_store(put.error());
    return std::nullopt;
  };
  auto published = publish_again(change, commit);
  if (!published) return published.error();
  return {};
}

Result<bool, Configuration::Failure> Configuration::clear_override(const std::string& text) {
  const std::lock_guard lock(change_);
  const auto before = active();
  const auto is_it = [&text](const store::Override& one) { return one.subject == text; };
  if (!before || std::none_of(before->overrides.begin(), before->overrides.end(), is_it)) return false;
  const auto change = [&is_it](ActiveConfiguration& next) { std::erase_if(next.overrides, is_it); };
  const auto commit = [this, &text]() -> std::optional<Failure> {
    auto removed = parts_.store.remove_override(text);
    if (!removed) return Failure::of_store(removed.error());
    return std::nullopt;
  };
  auto published = publish_again(change, commit);
  if (!published) return published.error();
  return true;
}

void Configuration::close() {
  edits_.close();
  const std::lock_guard lock(change_);
  closed_ = true;
  parts_.listeners.close();
  parts_.pool.forget_publication();
}

// What the store still has of these does not matter any more: `resume` and `expire_overrides` drop it again.
void Configuration::drop_from_store(const std::vector<store::Override>& overrides) {
  for (const store::Override& one : overrides) {
    const auto removed = parts_.store.remove_override(one.subject);
    if (!removed) parts_.log.warning("override {} could not be removed: {}", one.subject, removed.error().message);
  }
}

void Configuration::expire_overrides() {
  const std::lock_guard lock(change_);
  const auto before = active();
  if (!before) return;
  const std::string now = rfc3339(std::chrono::system_clock::now());
  std::vector<store::Override> staying = before->overrides;
  const auto expired =
      take_out(staying, [&now](const store::Override& one) { return one.expires.empty() || one.expires > now; });
  if (expired.empty()) return;
  const auto published =
      publish_again([&staying](ActiveConfiguration& next) { next.overrides = staying; }, [] { return std::nullopt; });
  if (!published) return parts_.log.error("expired overrides stay in force: {}", published.error().message);
  drop_from_store(expired);
  for (const store::Override& one : expired) parts_.log.info("override {} ({}) has expired", one.subject, one.kind);
}

}   // namespace proxyd::master
