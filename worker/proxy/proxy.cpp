#include "worker/proxy/proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <ctime>

#include "shared/base/digest.h"
#include "shared/metrics/labels.h"

namespace proxyd::proxy {
namespace {

constexpr int kMostPurgesRecorded = 20;   // a second

uint64_t random_seed() {
  uint64_t seed = 0;
  random_bytes({reinterpret_cast<uint8_t*>(&seed), sizeof seed});
  return seed;
}

}   // namespace

Proxy::Proxy(async::EventLoop& loop, net::BufferPool& buffers, const metrics::MetricsRegion& metrics,
             const status::StatusRegion& status, const status::RejectRegion& rejects,
             const limits::LimitsRegion& limits, uint32_t slot, Log& log, SharedCache& shared_cache)
    : loop_(loop),
      buffers_(buffers),
      status_(status),
      reject_region_(rejects),
      limits_(limits),
      slot_(slot),
      log_(log),
      balancer_(status, random_seed()),
      shared_cache_(shared_cache) {
  constexpr std::array<std::string_view, 7> kPhases = {"client_body",   "client_write", "connect", "first_byte",
                                                       "between_bytes", "tunnel",       "total"};
  for (size_t i = 0; i < kPhases.size(); ++i)
    timeouts_[i] = metrics.cell(slot, "proxyd_timeout_total", fmt::format("phase=\"{}\"", kPhases[i]));
  const metrics::Cell none = metrics.cell(slot, "proxyd_metrics_overflow_total", "");
  rejects_total_.fill(none);   // no request is refused for what is wrong with a response only
  upstream_bad_.fill(none);
  http2_rejects_.fill(none);
  for (size_t i = 1; i < http::kRefusalCount; ++i) {
    const auto refusal = static_cast<http::Refusal>(i);
    const std::string label = metrics::label("reason", http::to_string(refusal));
    const bool of_response = refusal >= http::Refusal::kStatusLine && refusal < http::kFirstOfHttp2;
    if (!of_response) http2_rejects_[i] = metrics.cell(slot, "proxyd_h2_reject_total", label);
    if (refusal < http::Refusal::kStatusLine) rejects_total_[i] = metrics.cell(slot, "proxyd_h1_reject_total", label);
    upstream_bad_[i] = metrics.cell(slot, "proxyd_upstream_bad_total", label);
  }
  route_misses = metrics.cell(slot, "proxyd_route_miss_total", "");
  misdirected = metrics.cell(slot, "proxyd_misdirected_total", "");
  loops = metrics.cell(slot, "proxyd_loop_total", "");
  tunnels_total = metrics.cell(slot, "proxyd_tunnels_made_total", "");
  tunnels = metrics.cell(slot, "proxyd_tunnels", "");
  random_bytes({reinterpret_cast<uint8_t*>(random_.data()), sizeof random_});
}

void Proxy::set_configuration(std::shared_ptr<const Configuration> configuration) {
  configuration_ = std::move(configuration);
  if (!configuration_->cache_policies.empty()) shared_cache_.begin_use();
  status_.worker(slot_).revision.store(configuration_->snapshot.revision, std::memory_order_relaxed);
}

std::string_view Proxy::date() {
  wall_clock_ms();
  return {date_.data(), 29};
}

// The clock is asked once a second; in between the loop's own time carries on.
int64_t Proxy::wall_clock_ms() {
  const Instant now = loop_.now();
  if (date_made_ == Instant{} || now - date_made_ >= milliseconds(1000)) {
    timespec wall{};
    ::clock_gettime(CLOCK_REALTIME, &wall);
    std::tm utc{};
    gmtime_r(&wall.tv_sec, &utc);
    std::strftime(date_.data(), date_.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    wall_offset_ms_ = wall.tv_sec * 1000 + wall.tv_nsec / 1'000'000;
    date_made_ = now;
  }
  return wall_offset_ms_ + std::chrono::duration_cast<milliseconds>(now - date_made_).count();
}

// xoshiro256**.
uint64_t Proxy::next_random() {
  const uint64_t result = std::rotl(random_[1] * 5, 7) * 9;
  const uint64_t shifted = random_[1] << 17;
  random_[2] ^= random_[0];
  random_[3] ^= random_[1];
  random_[1] ^= random_[2];
  random_[0] ^= random_[3];
  random_[2] ^= shifted;
  random_[3] = std::rotl(random_[3], 45);
  return result;
}

// Sixteen digits at a time: the lower nibbles of the octets, then the upper ones, turned into characters all at once.
std::string_view Proxy::random_hex(char* room, size_t digits) {
  constexpr uint64_t kEach = 0x0101010101010101;
  const auto as_digits = [](uint64_t nibbles) {
    const uint64_t letters = ((nibbles + kEach * 6) >> 4) & kEach;   // 1 where the nibble is above 9
    return nibbles + kEach * '0' + letters * ('a' - '0' - 10);
  };
  for (size_t at = 0; at < digits; at += 16) {
    const uint64_t random = next_random();
    const std::array<uint64_t, 2> text = {as_digits(random & kEach * 0x0F), as_digits(random >> 4 & kEach * 0x0F)};
    std::memcpy(room + at, text.data(), std::min(digits - at, sizeof text));
  }
  return {room, digits};
}

void Proxy::log_observed(std::string_view limit, std::string_view client) {
  const Instant now = loop_.now();
  if (last_observed_ != Instant{} && now - last_observed_ < std::chrono::seconds(1)) return;
  last_observed_ = now;
  log_.info("rate limit '{}' would turn {} away, but for 'mode: observe'", limit, client);
}

void Proxy::record_purge(nlohmann::json record) {
  const Instant now = loop_.now();
  if (now - purges_counted_from_ >= std::chrono::seconds(1)) {
    purges_counted_from_ = now;
    purges_recorded_ = 0;
  }
  if (purge_recorder_ && ++purges_recorded_ <= kMostPurgesRecorded) purge_recorder_(std::move(record));
}

void Proxy::request_began() { status_.worker(slot_).in_flight.store(++requests_, std::memory_order_relaxed); }
void Proxy::request_ended() { status_.worker(slot_).in_flight.store(--requests_, std::memory_order_relaxed); }

}   // namespace proxyd::proxy
