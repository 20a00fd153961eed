#include "worker/upstream/target.h"

namespace proxyd::upstream {

Target::Target(Services services, uint32_t row, std::vector<std::string> addresses,
               std::shared_ptr<tls::ClientContext> tls)
    : services_(services),
      row_(row),
      where_(addresses.empty() ? "?" : addresses.front()),
      tls_(std::move(tls)),
      pool_(services, row) {
  for (const std::string& text : addresses) {
    if (const auto address = net::SocketAddress::parse(text)) addresses_.push_back(*address);
  }
}

void Target::note_failed_handshake(const std::string& why) {
  constexpr auto kAgain = std::chrono::seconds(10);
  const Instant now = services_.loop.now();
  if (handshake_noted_ != Instant{} && now - handshake_noted_ < kAgain) return;
  handshake_noted_ = now;
  services_.log.error("no TLS handshake with {}: {}; see `tls` of its upstream", where_, why);
}

void Target::count_cut() {
  std::atomic<uint32_t>& count = services_.status.cut(services_.slot, row_);
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// The gauge is this worker's own word: a plain store is enough.
InFlight::InFlight(std::shared_ptr<Target> target) : target_(std::move(target)) {
  const Services& services = target_->services_;
  std::atomic<uint32_t>& gauge = services.status.in_flight(services.slot, target_->row_);
  gauge.store(gauge.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

InFlight& InFlight::operator=(InFlight&& other) noexcept {
  if (this != &other) {
    leave();
    target_ = std::move(other.target_);
  }
  return *this;
}

InFlight::~InFlight() { leave(); }

void InFlight::leave() {
  if (!target_) return;
  const Services& services = target_->services_;
  std::atomic<uint32_t>& gauge = services.status.in_flight(services.slot, target_->row_);
  gauge.store(gauge.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  target_.reset();
}

}   // namespace proxyd::upstream
