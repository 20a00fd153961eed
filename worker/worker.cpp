#include "worker/worker.h"

#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "shared/base/kernel_tls.h"
#include "shared/config/head_limits.h"
#include "shared/metrics/labels.h"
#include "worker/http2_metrics.h"

namespace proxyd::worker {
namespace {

constexpr auto kTick = milliseconds(1000);
constexpr auto kDrainTick = milliseconds(50);
constexpr size_t kHandshakesPerPass = 2;
constexpr size_t kBuffersKept = 64;
constexpr size_t kWorthReturning = 1024 * 1024;

uint64_t monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

tls::KernelTls kernel_tls(const metrics::MetricsRegion& metrics, uint32_t slot) {
  constexpr std::string_view kName = "proxyd_tls_kernel_connections_total";
  return {kernel_tls_ciphers(), metrics.cell(slot, kName, "result=\"given\""),
          metrics.cell(slot, kName, "result=\"refused\""), metrics.cell(slot, kName, "result=\"cut\"")};
}

downstream::Services downstream_services(async::EventLoop& loop, net::BufferPool& buffers, net::PipePool& pipes,
                                         async::Turns& handshakes, http2::Memory& http2_memory,
                                         const http2::Counters& http2_counters, proxy::Proxy& proxy,
                                         const status::StatusRegion& status, const metrics::MetricsRegion& metrics,
                                         uint32_t slot, Log& log) {
  const auto cell = [&](std::string_view name, std::string_view labels) { return metrics.cell(slot, name, labels); };
  return {
      loop,
      buffers,
      pipes,
      proxy,
      status.worker(slot),
      log,
      cell("proxyd_unhandled_exceptions_total", ""),
      cell("proxyd_proxy_proto_bad_total", ""),
      cell("proxyd_timeout_total", "phase=\"keepalive\""),
      cell("proxyd_timeout_total", "phase=\"client_header\""),
      {cell("proxyd_tls_handshakes_total", "result=\"full\""),
       cell("proxyd_tls_handshakes_total", "result=\"resumed\""),
       cell("proxyd_tls_handshakes_total", "result=\"failed\""), cell("proxyd_timeout_total", "phase=\"tls\""),
       kernel_tls(metrics, slot)},
      handshakes,
      {http2_memory, http2_counters, cell("proxyd_timeout_total", "phase=\"h2_preface\""),
       cell("proxyd_timeout_total", "phase=\"h2_frame\""), cell("proxyd_timeout_total", "phase=\"h2_window_stall\"")}};
}

http1::Underscore underscore_of(config::UnderscoreFields rule) {
  switch (rule) {
    case config::UnderscoreFields::kDrop: return http1::Underscore::kDrop;
    case config::UnderscoreFields::kPass: return http1::Underscore::kPass;
    case config::UnderscoreFields::kReject: break;
  }
  return http1::Underscore::kReject;
}

}   // namespace

Worker::Worker(const ipc::Inheritance& inheritance, Regions regions, Log& log)
    : log_(log),
      metrics_(std::move(regions.metrics)),
      status_(std::move(regions.status)),
      rejects_(std::move(regions.rejects)),
      tickets_(std::move(regions.tickets)),
      limits_(std::move(regions.limits)),
      slot_(inheritance.slot),
      cache_region_(std::move(regions.cache)),
      wake_descriptors_(std::move(regions.wakes)),
      cache_(cache::view_of(cache_region_), slot_, inheritance.incarnation),
      shared_cache_(loop_, cache_, wake_descriptors_),
      upstream_http2_counters_(upstream_http2_counters(metrics_, slot_)),
      builder_(upstream_services(), &metrics_, &tickets_),
      proxy_(loop_, buffers_, metrics_, status_, rejects_, limits_, slot_, log, shared_cache_),
      prober_(loop_, status_, slot_),
      handshakes_(loop_, kHandshakesPerPass),
      http2_counters_(http2_counters(metrics_, slot_)),
      connections_(downstream_services(loop_, buffers_, pipes_, handshakes_, http2_memory_, http2_counters_, proxy_,
                                       status_, metrics_, slot_, log)),
      acceptor_(loop_, connections_, status_, wake_descriptors_, own_wake_.when_readable(), slot_, log),
      buffer_hits_(metrics_.cell(slot_, "proxyd_buffer_pool_hits_total", "")),
      buffer_misses_(metrics_.cell(slot_, "proxyd_buffer_pool_misses_total", "")),
      housekeeping_(*this),
      tick_(housekeeping_) {
  acceptor_.set_counters({metrics_.cell(slot_, "proxyd_accept_errors_total", "reason=\"descriptors\""),
                          metrics_.cell(slot_, "proxyd_accept_errors_total", "reason=\"other\"")});
  // Without it who follows an object or is called to the listeners looks now and then all the same.
  if (!own_wake_.start(loop_, wake_descriptors_.numbers()[slot_]))
    log_.error("no news from other workers: {}", std::strerror(errno));
  housekeeping();
}

upstream::Services Worker::upstream_services() {
  return {loop_,
          buffers_,
          pipes_,
          status_,
          slot_,
          log_,
          metrics_.cell(slot_, "proxyd_upstream_bad_total", "reason=\"unsolicited\""),
          &http2_memory_,
          &upstream_http2_counters_};
}

void Worker::housekeeping() {
  status::WorkerSlot& mine = status_.worker(slot_);
  mine.heartbeat_ms.store(monotonic_ms(), std::memory_order_relaxed);
  mine.loop_lag_us.store(static_cast<uint64_t>(loop_.take_longest_pass().count()), std::memory_order_relaxed);
  // The allocator keeps what it was given back until it is told: after a burst that is most of the worker.
  if (buffers_.trim(kBuffersKept) >= kWorthReturning) ::malloc_trim(0);
  buffer_hits_.set(buffers_.hits());
  buffer_misses_.set(buffers_.misses());
  say_what_is_held();
  if (proxy::AccessLog* log = proxy_.access_log()) log->flush();
  prober_.renew();
  if (state_ == State::kRunning) acceptor_.housekeeping();
  if (state_ == State::kDraining) finish_if_drained();
  loop_.timers().arm(tick_, Deadline::at(loop_.now() + (state_ == State::kDraining ? kDrainTick : kTick)));
}

// The revision in force, and the oldest edition that a request still uses: until that is newer, the master gives the
// rows of what it named to nobody else.
void Worker::say_what_is_held() {
  std::erase_if(held_, [](const auto& one) { return one.expired(); });
  const proxy::Configuration* in_force = configuration();
  if (!in_force) return;
  uint64_t oldest = in_force->snapshot.edition();
  for (const auto& one : held_) {
    if (const auto configuration = one.lock()) oldest = std::min(oldest, configuration->snapshot.edition());
  }
  status_.worker(slot_).revision.store(in_force->snapshot.revision, std::memory_order_relaxed);
  status_.worker(slot_).oldest_edition.store(oldest, std::memory_order_relaxed);
}

Result<Worker::Prepared, proxy::ConfigurationBuilder::Refusal> Worker::prepare(config::Snapshot snapshot,
                                                                               ipc::Publication given) {
  // Epoch 0 is a rehearsal, which never serves: its counters need not be there.
  auto built = snapshot.epoch == 0 ? build_apart(std::move(snapshot)) : builder_.build(std::move(snapshot));
  if (!built) return built.error();
  return Prepared{std::move(*built), std::move(given.sockets), std::move(given.access_logs),
                  std::move(given.error_log)};
}

Result<std::shared_ptr<const proxy::Configuration>, proxy::ConfigurationBuilder::Refusal> Worker::build_apart(
    config::Snapshot snapshot) {
  proxy::ConfigurationBuilder builder(upstream_services(), nullptr, nullptr);
  return builder.build(std::move(snapshot));
}

downstream::Settings Worker::settings_for(const config::Listener& listener,
                                          const proxy::Configuration& configuration) const {
  const config::Limits& limits = configuration.document.limits;
  downstream::Settings settings;
  const auto within = [](uint64_t most, const config::MaybeSize& limit) {
    return std::min(limit.value_or(most), most);
  };
  settings.head = {
      .max_line = within(config::kLargestHead - 1, limits.request_line),   // a line that fills the buffer is too long
      .max_section = within(config::kLargestHead, limits.request_headers),
      .max_fields = within(config::kMostFields, limits.header_count),
      .underscore = underscore_of(listener.underscore_fields)};
  const config::Timeouts& timeouts = configuration.document.timeouts;
  settings.waits = {timeouts.keepalive, timeouts.client_header, timeouts.client_write};
  settings.max_connections = listener.max_connections;
  settings.proxy_protocol = listener.proxy_protocol;
  settings.protocols = listener.protocols;
  const auto tls = configuration.listener_tls.find(listener.name);
  if (tls != configuration.listener_tls.end()) settings.tls = tls->second;
  settings.trusts = [trusted = configuration.trusted_proxies](const net::Address& peer) {
    return trusted.holds(peer.mapped());
  };
  return settings;
}

void Worker::activate(Prepared prepared) {
  const proxy::Configuration& configuration = *prepared.configuration;
  std::map<std::string, std::shared_ptr<downstream::Listener>> listeners;
  for (const auto& [name, settings] : configuration.document.listeners) {
    auto& listener = listeners[name];
    listener = listeners_.contains(name) ? listeners_[name] : std::make_shared<downstream::Listener>();
    listener->name = name;
    const downstream::Waits before = listener->settings.waits;
    listener->settings = settings_for(settings, configuration);
    if (listener->settings.waits != before) listener->waits_generation = ++waits_generation_;
    const std::string label = metrics::listener_labels(name);
    listener->opened_total = metrics_.cell(slot_, "proxyd_downstream_accepted_total", label);
    listener->open_gauge = metrics_.cell(slot_, "proxyd_downstream_connections", label);
    listener->metrics = &metrics_;
    listener->open_row = metrics_.find("proxyd_downstream_connections", label);
  }
  listeners_ = std::move(listeners);
  proxy_.set_configuration(prepared.configuration);
  prober_.follow(std::shared_ptr<const upstream::Prober::Groups>(prepared.configuration, &configuration.upstreams));
  held_.push_back(prepared.configuration);
  say_what_is_held();
  set_logs(std::move(prepared.access_logs), std::move(prepared.error_log));
  builder_.settle(configuration);
  std::vector<downstream::Acceptor::Given> sockets;
  for (ipc::Publication::Socket& socket : prepared.sockets) {
    const auto listener = listeners_.find(socket.listener);
    if (listener != listeners_.end())
      sockets.push_back({std::move(socket.descriptor), std::move(socket.address), listener->second});
  }
  if (state_ == State::kStarting) state_ = State::kRunning;
  if (state_ != State::kRunning) return;
  status_.worker(slot_).serving.store(1, std::memory_order_relaxed);
  acceptor_.set_sockets(std::move(sockets));
}

void Worker::set_logs(std::vector<UniqueFd> access_logs, UniqueFd error_log) {
  if (proxy::AccessLog* former = proxy_.access_log()) former->flush();
  if (const proxy::Configuration* now = configuration()) {
    const metrics::Cell dropped = metrics_.cell(slot_, "proxyd_access_log_dropped_total", "");
    proxy_.set_access_log(std::make_unique<proxy::AccessLog>(now->document.logging, std::move(access_logs), dropped));
    if (const auto level = log_level_from(now->document.logging.error.level)) log_.set_level(*level);
  }
  log_.set_descriptor(error_log ? error_log.value() : 2);
  error_log_ = std::move(error_log);
}

// Another address of a target that is given by it makes another of the same row: older configurations still hold the
// former.
void Worker::cut(uint32_t row) {
  for (const auto& one : held_) {
    const auto held = one.lock();
    if (!held) continue;
    for (const auto& [name, group] : held->upstreams) {
      for (const upstream::Member& member : group.members) {
        if (member.target->row() == row) member.target->cut();
      }
    }
  }
}

void Worker::drain(Deadline deadline) {
  drain_deadline_ = drain_deadline_.earlier_of(deadline);
  if (state_ == State::kDraining) return;
  state_ = State::kDraining;
  status_.worker(slot_).serving.store(0, std::memory_order_relaxed);
  proxy_.set_draining();
  acceptor_.close();
  connections_.drain();
  housekeeping();
}

void Worker::finish_if_drained() {
  const bool late = drain_deadline_.passed(loop_.now());
  const bool busy = connections_.open() > 0 || !proxy_.tasks().empty();   // others may follow a fill of ours
  if (busy && !late) return;
  const size_t cut = connections_.cut_all();
  if (cut > 0)
    log_.warning("{} connections were cut: their requests did not end before the deadline of the drain", cut);
  if (proxy::AccessLog* log = proxy_.access_log()) log->flush();
  loop_.stop();
}

}   // namespace proxyd::worker
