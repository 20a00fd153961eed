#include "worker/upstream/target.h"

namespace proxyd::upstream {

Target::Target(Services services, uint32_t row, std::string address, std::shared_ptr<tls::ClientContext> tls,
               config::UpstreamProtocol protocol)
    : services_(services),
      row_(row),
      address_(net::SocketAddress::parse(address)),
      where_(address.empty() ? "?" : std::move(address)),
      tls_(std::move(tls)),
      protocol_(protocol),
      pool_(services, row) {
  if (protocol_ != config::UpstreamProtocol::kH1) http2_ = std::make_unique<Http2Connections>(*this);
}

bool Target::may_note() {
  constexpr auto kAgain = std::chrono::seconds(10);
  const Instant now = services_.loop.now();
  if (noted_ != Instant{} && now - noted_ < kAgain) return false;
  noted_ = now;
  return true;
}

void Target::note_failed_handshake(std::string_view why) {
  if (may_note()) services_.log.error("no TLS handshake with {}: {}; see `tls` of its upstream", where_, why);
}

void Target::note_no_http2(std::string_view why) {
  if (may_note()) services_.log.error("no HTTP/2 with {}: {}; see `protocol` of its upstream", where_, why);
}

void Target::retire() {
  set_limits({.max_idle = 0});
  pool_.close_all();
  if (http2_) http2_->retire();
}

void Target::cut() {
  pool_.cut();
  if (http2_) http2_->cut_waiting();
}

void Target::count_cut() {
  std::atomic<uint32_t>& count = services_.status.cut(services_.slot, row_);
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// The gauge is this worker's own word: a plain store is enough.
InFlight::InFlight(std::shared_ptr<Target> target, bool trial) : target_(std::move(target)), trial_(trial) {
  const Services& services = target_->services_;
  std::atomic<uint32_t>& gauge = services.status.in_flight(services.slot, target_->row_);
  gauge.store(gauge.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

InFlight& InFlight::operator=(InFlight&& other) noexcept {
  if (this != &other) {
    leave();
    target_ = std::move(other.target_);
    sign_ = other.sign_;
    trial_ = other.trial_;
  }
  return *this;
}

InFlight::~InFlight() { leave(); }

void InFlight::leave() {
  if (!target_) return;
  const Services& services = target_->services_;
  std::atomic<uint32_t>& gauge = services.status.in_flight(services.slot, target_->row_);
  gauge.store(gauge.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  if (target_->passive_) tell_end();
  if (target_->line_) target_->line_->call_first();
  target_.reset();
}

void InFlight::end_trial() {
  trial_ = false;
  if (target_ && target_->passive_) target_->passive_->succeeded(target_->row_, target_->services_.loop.now(), true);
}

void InFlight::tell_end() {
  if (sign_ == Sign::kWell)
    target_->passive_->succeeded(target_->row_, target_->services_.loop.now(), trial_);
  else if (sign_ == Sign::kNone && trial_)
    target_->passive_->abandoned(target_->row_, target_->services_.loop.now());
}

void InFlight::failed(status::Finding finding) {
  if (!target_ || !target_->passive_ || sign_ == Sign::kFailed) return;
  sign_ = Sign::kFailed;
  target_->passive_->failed(target_->row_, target_->services_.loop.now(), trial_, finding);
}

}   // namespace proxyd::upstream
