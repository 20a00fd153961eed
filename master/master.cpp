#include "master/master.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <filesystem>

#include "master/dns/name_servers.h"
#include "master/purge_record.h"
#include "shared/base/steady.h"

namespace proxyd::master {
namespace {

constexpr milliseconds kBindPatience{10'000};
constexpr milliseconds kTurn{100};
constexpr milliseconds kBusyTurn{5};
constexpr milliseconds kPatientGrace{3'600'000};   // of QUIT
constexpr auto kCopyAgain = std::chrono::minutes(10);
constexpr uint64_t kCopyAtExit = 64 << 20;   // a larger database is not waited for
constexpr auto kTick = std::chrono::seconds(1);

std::string worker_binary() { return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "proxyd-worker"; }

// To what the system allows; workers inherit it. Fails where a worker could not even be started: it inherits one
// descriptor for each worker slot, and meanwhile has each twice.
Result<void> raise_descriptor_limit() {
  constexpr rlim_t kLeast = 2 * kWorkerSlots + 64;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= kLeast) return {};
  return Error{
      fmt::format("the system lets a process open {} files (RLIMIT_NOFILE): raise it to {} at least, and by "
                  "two for each connection",
                  limit.rlim_max, kLeast)};
}

// A site that goes wherever the flags say; what the origin calls fresh is cached.
std::string quick_start_document(const Bootstrap& bootstrap) {
  return fmt::format(
      "version: 1\nlisteners:\n  main: {{ addresses: [\"{}\"] }}\ncache_policies:\n  main: {{}}\nupstreams:\n  main: "
      "{{ targets: {{ origin: {{ "
      "address: \"{}\" }} }} }}\n"
      "hosts:\n  all:\n    names: [\"*\"]\n    routes:\n      - {{ name: all, match: {{ path_prefix: / }}, upstream: "
      "main, cache: main }}\n",
      bootstrap.listen, bootstrap.upstream);
}

}   // namespace

Result<std::unique_ptr<Master>, Master::StartError> Master::create(Bootstrap bootstrap, Log& log) {
  std::unique_ptr<Master> master(new Master(std::move(bootstrap), log));
  auto opened = master->open();
  if (!opened) return opened.error();
  return master;
}

Result<void, Master::StartError> Master::open() {
  using Kind = StartError::Kind;
  auto folder = StateFolder::open(bootstrap_.state_dir, bootstrap_.run_dir);
  if (!folder) return StartError{folder.error().in_use ? Kind::kInUse : Kind::kOther, folder.error().message};
  state_folder_.emplace(std::move(*folder));
  sigset_t mask;
  ::sigemptyset(&mask);
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGTERM, SIGINT, SIGCHLD}) ::sigaddset(&mask, signal);
  ::sigprocmask(SIG_BLOCK, &mask, nullptr);
  for (const int signal : {SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_IGN);   // errors of the write, no more
  const auto enough = raise_descriptor_limit();
  if (!enough) return StartError{Kind::kOther, enough.error().message};
  signals_ = UniqueFd(::signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC));
  wakeup_ = UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  auto store = store::SqliteStore::open(bootstrap_.state_dir, log_);
  if (!store) return StartError{Kind::kOther, store.error().message};
  store_ = std::move(*store);
  vault_ = std::make_unique<CertificateVault>(*store_, bootstrap_.state_dir);
  records_ = std::make_unique<LateRecords>(*store_, log_);
  auto regions = RegionKeeper::create(bootstrap_.cache_ceiling);
  if (!regions) return StartError{Kind::kOther, regions.error().message};
  regions_ = std::make_unique<RegionKeeper>(std::move(*regions));
  ticket_rotation_.emplace(regions_->tickets());
  store_->on_error(
      [this] { regions_->metrics().cell(metrics::MetricsRegion::kMasterSlot, "proxyd_db_errors_total", "").add(); });
  kernel_tls_ = kernel_tls_ciphers();
  log_.info("kernel TLS: {}", kernel_tls_.any() ? "used for what is large" : "there is none");
  auto spawn = Spawn::open(worker_binary());
  if (!spawn) return StartError{Kind::kOther, spawn.error().message};
  listeners_ = std::make_unique<Listeners>(log_);
  pool_ = std::make_unique<WorkerPool>(*regions_, std::move(*spawn), log_);
  pool_->on_change([this] { wake(); });
  pool_->on_purge([this](const nlohmann::json& told) { record_purge(told, *records_, events_); });
  auto name_servers = dns::NameServers::create(bootstrap_.dns_servers);
  if (!name_servers) return StartError{Kind::kOther, name_servers.error().message};
  resolver_ = std::make_unique<Resolver>([this] { epoch_due_ = true; }, std::move(*name_servers), log_);
  configuration_ = std::make_unique<Configuration>(Configuration::Parts{
      *store_, *vault_, *regions_, *pool_, *listeners_, *resolver_, events_, log_, bootstrap_.state_dir});
  process_overrides_ = std::make_unique<ProcessOverrides>(
      ProcessOverrides::Parts{bootstrap_, *store_, *pool_, *configuration_, events_, log_});
  chores_ = std::make_unique<Chores>(log_);
  return {};
}

Master::~Master() {
  if (store_) store_->give_up_copy();
  chores_.reset();     // they use the rest
  resolver_.reset();   // its thread calls back
  pool_.reset();
  listeners_.reset();
  if (records_) records_->write();
  records_.reset();
  if (store_ && !bootstrap_.temporary_state) (void)store_->back_up(kCopyAtExit);
  store_.reset();
  std::error_code ignored;
  if (bootstrap_.temporary_state) std::filesystem::remove_all(bootstrap_.state_dir, ignored);
}

Result<void, DocumentError> Master::put_in_force(config::Decoded decoded, std::string source, const std::string& author,
                                                 const std::string& origin, const std::string& message,
                                                 milliseconds patience) {
  Configuration::Request request;
  request.decoded = std::move(decoded);
  request.author = author;
  request.origin = origin;
  request.message = message;
  request.source = std::move(source);
  request.bind_patience = patience;
  auto applied = configuration_->apply(std::move(request));
  if (!applied) return DocumentError{applied.error().message, {}, applied.error()};
  return {};
}

Result<void, DocumentError> Master::load_document(const std::string& path, const std::string& origin,
                                                  milliseconds patience) {
  auto read = read_document_file(path);
  if (!read) return read.error();
  return put_in_force(std::move(read->decoded), std::move(read->text), origin == "file" ? "file" : "import", origin,
                      path, patience);
}

// What an earlier quick start put into a store that was kept gives way to these flags; anything else serves on.
Result<void, DocumentError> Master::quick_start(bool resumed) {
  const std::string text = quick_start_document(bootstrap_);
  config::Decoded decoded = config::decode(text, config::Format::kYaml);
  if (!decoded.valid())
    return DocumentError{fmt::format("--listen {} --upstream {}: {}", bootstrap_.listen, bootstrap_.upstream,
                                     decoded.problems.front().message),
                         decoded.problems};
  const auto active = configuration_->active();
  if (!resumed || active->revision.origin == "quick-start")
    return put_in_force(std::move(decoded), text, "quick start", "quick-start", "", kBindPatience);
  if (decoded.canonical == active->canonical) return {};
  note_difference(
      fmt::format("--listen and --upstream are not used: the store in {} has revision {}, which serves; use another "
                  "--state-dir, or `proxyctl upstream target add` and `proxyctl apply -f FILE`",
                  bootstrap_.state_dir, active->revision.number),
      decoded.canonical.dump());
  return {};
}

void Master::note_difference(std::string text, std::string document) {
  if (!text.empty()) log_.warning("{}", text);
  const std::lock_guard lock(difference_mutex_);
  difference_ = std::move(text);
  differing_document_ = std::move(document);
}

// Over as soon as that document has come into force.
std::string Master::difference() {
  const auto active = configuration_->active();
  const std::lock_guard lock(difference_mutex_);
  if (active && active->revision.canonical == differing_document_) difference_.clear();
  return difference_;
}

// The store's active revision serves; a document from a flag or a file starts an empty store, or (config_source: file)
// is applied over it. A wrong file leaves the last good revision in force.
Result<void, DocumentError> Master::start_document() {
  auto resumed = configuration_->resume(kBindPatience);
  if (!resumed) return DocumentError{resumed.error().message, {}};
  if (bootstrap_.config_source == "file") {
    auto loaded = load_document(bootstrap_.config_file, "file", kBindPatience);
    if (!loaded && !*resumed) return loaded.error();
    if (!loaded) note_difference(loaded.error().message);
    return {};
  }
  if (!bootstrap_.listen.empty()) return quick_start(*resumed);
  if (bootstrap_.imported_config.empty()) return {};
  if (!*resumed) return load_document(bootstrap_.imported_config, "import", kBindPatience);
  const auto active = configuration_->active();
  const auto file = read_document_file(bootstrap_.imported_config);
  if (file && file->decoded.canonical == active->canonical) return {};
  note_difference(
      fmt::format(
          "{0} differs from revision {1}, which serves: see `proxyctl diff -f {0}`, then `proxyctl apply -f {0}`",
          bootstrap_.imported_config, active->revision.number),
      file ? file->decoded.canonical.dump() : "");
  return {};
}

Result<void, DocumentError> Master::start() {
  pool_->scale(bootstrap_.worker_count(), bootstrap_.shutdown_grace);
  auto started = start_document();
  if (!started) return started.error();
  const auto resumed = process_overrides_->resume();
  if (!resumed) log_.warning("overrides cannot be read: {}", resumed.error().message);
  return {};
}

void Master::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wakeup_.value(), &one, sizeof one);
}

void Master::wait(milliseconds limit) {
  std::vector<pollfd> ready = {{signals_.value(), POLLIN, 0}, {wakeup_.value(), POLLIN, 0}};
  for (const int descriptor : pool_->descriptors()) ready.push_back({descriptor, POLLIN, 0});
  ::poll(ready.data(), ready.size(), static_cast<int>(limit.count()));
  uint64_t drained = 0;
  [[maybe_unused]] const ssize_t got = ::read(wakeup_.value(), &drained, sizeof drained);
}

int Master::run() {
  for (bool busy = false;;) {
    wait(busy ? kBusyTurn : kTurn);
    last_turn_ms_ = steady_ms(Clock::now());
    handle_signals();
    pool_->turn();
    busy = regions_->cache().turn();
    if (!all_have_served_ && pool_->serving() > 0)
      all_have_served_ = pool_->serving() + pool_->resting() >= static_cast<size_t>(pool_->wanted());
    if (const int64_t grace = requested_grace_ms_.exchange(-1); grace >= 0) begin_shutdown(milliseconds(grace));
    const bool ready = !ending_ && all_have_served_ && pool_->serving() > 0;
    regions_->status().ready().store(ready ? 1 : 0, std::memory_order_relaxed);
    const Instant now = Clock::now();
    if (now - last_tick_ >= kTick) tick();
    if (drain_at_.passed(now)) drain_workers();
    const bool drained = ending_ && drain_at_.is_never() && pool_->none_left();
    if (!drained && !end_at_.passed(now) && terminations_ < 2) continue;
    pool_->kill_all();
    events_.close();
    log_.info("stopped");
    return 0;
  }
}

void Master::tick() {
  last_tick_ = Clock::now();
  const bool may_publish = last_tick_ - last_epoch_ >= kTick && !ending_;
  if (may_publish && epoch_due_.exchange(false)) {
    last_epoch_ = last_tick_;
    chores_->add("epoch", [this] { publish_epoch(); });
  }
  if (ticket_rotation_->rotate_if_due(std::chrono::system_clock::now())) log_.info("session tickets have new keys");
  chores_->add("records", [this] { records_->write(); });
  if (!ending_)
    chores_->add("overrides", [this] {
      configuration_->expire_overrides();
      process_overrides_->expire();
    });
  if (!ending_) chores_->add("members", [this] { configuration_->tend_members(); });
  if (!ending_) chores_->add("transitions", [this] { tell_transitions(); });
  if (!ending_) chores_->add("certificates", [this] { configuration_->refresh_certificates(); });
  if (copy_at_.passed(last_tick_) && !bootstrap_.temporary_state) {   // at start too: it has just been checked
    copy_at_ = Deadline::at(last_tick_ + kCopyAgain);
    chores_->add("copy", [this] {
      const auto copied = store_->back_up();
      if (!copied) log_.error("the database could not be copied: {}", copied.error().message);
    });
  }
  uint64_t connections = 0;
  uint64_t in_flight = 0;
  for (uint32_t slot = 0; slot < regions_->status().slots_in_use(); ++slot) {
    connections += regions_->status().worker(slot).connections.load();
    in_flight += regions_->status().worker(slot).in_flight.load();
  }
  events_.publish("stats", {{"connections", connections}, {"in_flight", in_flight}, {"workers", pool_->serving()}});
}

void Master::tell_transitions() {
  if (const auto active = configuration_->active()) transitions_.look(*active, *regions_);
}

// What was due stays due until it is done; one reason is told once.
void Master::publish_epoch() {
  const bool logs = logs_due_.exchange(false);
  const auto published =
      configuration_->publish_epoch(logs ? Configuration::Again::kLogs : Configuration::Again::kNothing);
  const std::string failure = published ? "" : published.error().message;
  if (failure != epoch_failure_ && !published)
    log_.error("a new epoch could not be published: {}; it is tried again each second", failure);
  epoch_failure_ = failure;
  if (published) return;
  if (logs) logs_due_ = true;
  epoch_due_ = true;
}

// Nothing here may wait for workers: their replies are heard by this thread.
void Master::handle_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.value(), &info, sizeof info) == sizeof info) {
    switch (info.ssi_signo) {
      case SIGHUP:
        chores_->add("reload", [this] {
          const auto reloaded = reload();
          if (!reloaded) log_.error("reload: {}", reloaded.error().message);
        });
        break;
      case SIGUSR1:   // a new epoch opens the logs again
        logs_due_ = true;
        epoch_due_ = true;
        break;
      case SIGUSR2: log_.warning("SIGUSR2: upgrading the running binary is not supported yet"); break;
      case SIGQUIT: begin_shutdown(std::max(bootstrap_.shutdown_grace, kPatientGrace)); break;
      case SIGTERM:
      case SIGINT:
        ++terminations_;
        begin_shutdown(bootstrap_.shutdown_grace);
        break;
      default: break;
    }
  }
}

// A second time only ever makes it sooner.
void Master::begin_shutdown(milliseconds grace) {
  const bool first = !ending_.exchange(true);
  if (!first && grace >= grace_) return;
  grace_ = grace;
  log_.info("stopping: requests may finish within {} s", grace.count() / 1000);
  if (first) {
    drain_at_ = Deadline::at(Clock::now() + bootstrap_.shutdown_delay);
  } else if (drain_at_.is_never()) {
    drain_workers();
  }
}

void Master::drain_workers() {
  drain_at_ = Deadline::never();
  pool_->shut_down(grace_);
  chores_->add("close", [this] { configuration_->close(); });
  end_at_ = Deadline::at(Clock::now() + grace_ + milliseconds(3000));
}

void Master::shut_down(milliseconds grace) {
  requested_grace_ms_ = grace.count();
  wake();
}

// Files are read again: the document's (config_source: file), those that it names, and logs are reopened.
Result<void, DocumentError> Master::reload() {
  if (bootstrap_.config_source == "file") {
    auto loaded = load_document(bootstrap_.config_file, "file", milliseconds(0));
    note_difference(loaded ? "" : loaded.error().message);
    if (!loaded) return loaded.error();
  }
  auto published = configuration_->publish_epoch(Configuration::Again::kEverything);
  if (!published) return DocumentError{published.error().message, {}, published.error()};
  log_.info("reloaded");
  return {};
}

bool Master::alive() const { return steady_ms(Clock::now()) - last_turn_ms_ < 5000; }

}   // namespace proxyd::master
