#include "worker/upstream/http2_connection.h"

#include <algorithm>

#include "shared/base/steady.h"
#include "shared/config/head_limits.h"
#include "worker/upstream/http2_connections.h"
#include "worker/upstream/http2_exchange.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {
namespace {

constexpr size_t kReadBuffer = 16 * 1024;
constexpr size_t kOutput = 64 * 1024;
constexpr size_t kFrameRoom = 16'393;   // holds every frame
constexpr int kReadsPerTurn = 8;        // then others get theirs
constexpr size_t kMostStreams = 100;    // of ours, however many the target takes
constexpr auto kTick = milliseconds(1000);
constexpr auto kSettingsWait = milliseconds(10'000);
constexpr auto kQuiet = milliseconds(10'000);   // after it, a request is sent together with a PING
constexpr auto kPingWait = milliseconds(10'000);
constexpr auto kPatience = milliseconds(1000);   // then others are asked
constexpr auto kCancelWindow = milliseconds(30'000);
constexpr int kMostCancels = 50;
constexpr auto kBlockedWait = milliseconds(60'000);

// Content waits here while its client takes nothing, so a stream's window is what a stalled client can cost. Limits of
// a route may be lower than those of the connection, which serves them all.
http2::Settings settings() {
  http2::Settings wanted;
  wanted.max_streams = kMostStreams;
  wanted.stream_window = 128 * 1024;
  wanted.connection_window = 2 * 1024 * 1024;
  wanted.max_header_list = config::kLargestHead;
  wanted.max_fields = config::kMostFields;
  wanted.underscore = http::Underscore::kPass;
  return wanted;
}

}   // namespace

Http2Connection::Http2Connection(Target& target, std::unique_ptr<Connection> connection)
    : target_(target),
      connection_(std::move(connection)),
      session_(http2::Role::kClient, settings(), *target.services().http2_memory, *target.services().http2_counters),
      began_(target.services().loop.now()),
      heard_(began_),
      idle_since_(began_),
      cancels_since_(began_) {}

Http2Connection::~Http2Connection() {
  if (connection_) connection_->close_after_use();
}

async::EventLoop& Http2Connection::loop() const { return target_.services().loop; }

void Http2Connection::start() {
  async::Watched& watched = connection_->stream().watched();
  watched.when_readable().notify(&reading_);
  watched.when_writable().notify(&flushing_);
  watched.when_hung_up().notify(&reading_);
  produce();   // the preface
  loop().ready().push(reading_);
  loop().timers().arm(timer_, Deadline::at(began_ + kTick));
}

async::WaitReady Http2Connection::greeted(Deadline deadline) { return {loop(), greeted_, deadline}; }

// -- which requests it takes

bool Http2Connection::is_leaving() const {
  const config::Keepalive& limits = target_.pool().limits();
  const bool used_up = limits.max_requests && served_ >= *limits.max_requests;
  const bool too_old = limits.max_age && loop().now() - began_ >= *limits.max_age;
  return over_ || leaving_ || used_up || too_old || session_.received_goaway() ||
         session_.fault() != http2::Fault::kNone;
}

// It has taken nothing, or not answered PING, for so long that a request had better go elsewhere.
bool Http2Connection::is_doubtful() const {
  const Instant now = loop().now();
  const bool silent = pinged_ != Instant{} && now - pinged_ >= kPatience;
  return silent || (blocked_ && now - blocked_since_ >= kPatience);
}

bool Http2Connection::broke_rules_on(const http2::Stream& stream) const {
  return session_.fault() != http2::Fault::kNone && session_.fault_stream() == stream.id();
}

size_t Http2Connection::room() const {
  if (!takes_part() || is_leaving() || !session_.may_open() || is_doubtful()) return 0;
  const size_t most = std::min<size_t>(session_.peer_max_streams(), kMostStreams);
  return most - std::min(most, exchanges_.size());
}

void Http2Connection::catch_up() {
  if (!over_ && connection_->stream().watched().readable()) read();
}

void Http2Connection::leave() {
  leaving_ = true;
  loop().ready().push(flushing_);
}

void Http2Connection::join(Http2Exchange& exchange) {
  exchanges_.add(exchange);
  ++served_;
  const Instant now = loop().now();
  if (exchanges_.size() == 1) loop().timers().arm(timer_, Deadline::at(now + kTick));
  const bool quiet = now - heard_ >= kQuiet && pinged_ == Instant{};
  if (!quiet) return;
  pinged_ = now;   // a connection that died silently would swallow the request
  session_.ping();
}

void Http2Connection::part(Http2Exchange& exchange) {
  exchanges_.remove(exchange);
  if (exchange.awaits_room_) --waiting_for_room_;
  if (exchanges_.size() == 0) idle_since_ = loop().now();
  loop().ready().push(over_ ? static_cast<async::Wakeup&>(burying_) : flushing_);
  target_.http2()->has_room();
}

void Http2Connection::note_cancel() {
  const Instant now = loop().now();
  if (now - cancels_since_ >= kCancelWindow) {
    cancels_since_ = now;
    cancels_ = 0;
  }
  if (++cancels_ >= kMostCancels && !leaving_ && target_.http2()->may_replace_one()) leave();
}

http2::Stream* Http2Connection::begin(const http2::OutgoingRequest& request, bool end, bool& head_too_large) {
  head_too_large = false;
  if (over_ || !session_.may_open()) return nullptr;
  http2::Stream* const stream = session_.open(request, end);
  head_too_large = !stream;
  return stream;
}

// -- what comes in

void Http2Connection::read() {
  if (over_) return;
  net::Buffer buffer = target_.services().buffers.borrow(kReadBuffer);
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    const net::Moved moved = connection_->stream().read(buffer.data(), buffer.capacity());
    if (moved.state == net::Moved::State::kWouldBlock) return;
    if (moved.state != net::Moved::State::kSome) return end();
    receive({buffer.data(), moved.octets});
  }
  if (connection_->stream().watched().readable()) loop().ready().push(reading_);
}

void Http2Connection::receive(std::string_view octets) {
  heard_ = loop().now();
  pinged_ = Instant{};
  const bool greeted_before = session_.received_preface();
  const size_t room_before = room();
  (void)session_.receive(octets, static_cast<uint64_t>(steady_ms(heard_)));
  walk_news();
  if (!greeted_before && session_.received_preface()) greeted_.raise(loop().ready());
  if (room() > room_before) target_.http2()->has_room();   // SETTINGS may say so
  loop().ready().push(flushing_);
}

void Http2Connection::walk_news() {
  while (http2::Stream* stream = session_.next_news()) {
    const http2::News news = stream->take_news();
    if (auto* exchange = static_cast<Http2Exchange*>(stream->owner)) exchange->hear(news);
  }
}

// -- what goes out

bool Http2Connection::has_room() {
  if (blocked_ || broken_ || over_) return false;
  if (!out_) out_ = target_.services().buffers.borrow(kOutput);   // may throw, which nothing does behind an offer
  if (out_.capacity() - out_end_ >= kFrameRoom) return true;
  write();
  return !blocked_ && !broken_;
}

uint64_t Http2Connection::arrived() const {
  if (!connection_) return arrived_;
  const uint64_t on_its_way = connection_->stream().unacknowledged();
  arrived_ = std::max(arrived_, written_ - std::min(written_, on_its_way));
  return arrived_;
}

void Http2Connection::wait_for_room(Http2Exchange& exchange) {
  if (!exchange.awaits_room_) {
    ++waiting_for_room_;
    exchange.waits_from_ = arrived();
    exchange.turn_ = ++turns_;
  }
  exchange.awaits_room_ = true;
  loop().ready().push(flushing_);
}

size_t Http2Connection::produce() {
  if (broken_ || over_) return 0;
  if (!out_) out_ = target_.services().buffers.borrow(kOutput);
  const size_t room = out_.capacity() - out_end_;
  const size_t produced = room < kFrameRoom ? 0 : session_.produce({out_.data() + out_end_, room});
  out_end_ += produced;
  if (waiting() == 0) {
    out_.release();
  } else if (!blocked_) {   // else the socket says when
    loop().ready().push(flushing_);
  }
  return produced;
}

// As much as the socket takes.
void Http2Connection::write() {
  net::Stream& stream = connection_->stream();
  if (waiting() > 0) {
    const iovec part{out_.data() + out_begin_, waiting()};
    const net::Moved moved = stream.write({&part, 1});
    broken_ = broken_ || moved.state == net::Moved::State::kBroken;
    out_begin_ += moved.octets;
    written_ += moved.octets;
    if (moved.octets > 0) blocked_since_ = loop().now();
  }
  if (waiting() == 0) {
    out_.release();
    out_begin_ = out_end_ = 0;
  }
  if (stream.holds_back()) broken_ = stream.push().state == net::Moved::State::kBroken || broken_;
  const bool was_blocked = std::exchange(blocked_, waiting() > 0 || stream.holds_back());
  if (blocked_ && !was_blocked) blocked_since_ = loop().now();
}

// A socket that takes nothing any more may still have what the target said before.
void Http2Connection::flush() {
  if (over_) return;
  do {
    if (session_.has_output()) produce();
    write();
  } while (!blocked_ && !broken_ && session_.has_output());
  if (broken_ && !connection_->stream().watched().readable()) return end();
  walk_news();   // what can't be sent any more, and what ends with the connection, is told so
  wake_next();
  settle();
}

// One at a time, who has waited longest first: whoever comes next is woken by the flush that follows.
void Http2Connection::wake_next() {
  if (waiting_for_room_ == 0 || !has_room()) return;
  Http2Exchange* first = nullptr;
  for (Http2Exchange* one = exchanges_.oldest(); one; one = exchanges_.younger_than(*one)) {
    if (one->awaits_room_ && (!first || one->turn_ < first->turn_)) first = one;
  }
  if (!first) return;
  first->passed_ = first->passed_by();
  first->awaits_room_ = false;
  --waiting_for_room_;
  first->wake_for_room();
  loop().ready().push(flushing_);
}

// -- the connection's life

// Nothing is left to be written: over, or idle.
void Http2Connection::settle() {
  if (session_.fault() != http2::Fault::kNone) return end();   // GOAWAY is out, or nobody takes it
  if (blocked_ || waiting() > 0) return;
  if (exchanges_.size() > 0) return;
  if (!session_.received_preface()) return;
  if (is_leaving()) {
    session_.end_drain();
    produce();
    write();
    return end();
  }
  target_.http2()->became_idle();
  const bool awaited = session_.awaits_settings_ack() || pinged_ != Instant{};
  const config::Keepalive& limits = target_.pool().limits();
  const Deadline rested =
      Deadline::after(idle_since_, limits.idle_timeout).earlier_of(Deadline::after(began_, limits.max_age));
  loop().timers().arm(timer_, awaited ? rested.earlier_of(Deadline::at(loop().now() + kTick)) : rested);
}

// It answers nothing any more, or takes nothing.
bool Http2Connection::has_died(Instant now) const {
  const bool silent = pinged_ != Instant{} && now - pinged_ >= kPingWait;
  return silent || (blocked_ && now - blocked_since_ >= kBlockedWait);
}

void Http2Connection::look() {
  catch_up();
  if (over_) return;
  const Instant now = loop().now();
  if (has_died(now)) return end();
  const bool unacknowledged = session_.awaits_settings_ack() && now - began_ >= kSettingsWait;
  if (unacknowledged && session_.fault() == http2::Fault::kNone) {
    session_.fail(http2::Fault::kSettingsTimeout);
    walk_news();
  }
  const auto& idle_timeout = target_.pool().limits().idle_timeout;
  if (is_idle() && idle_timeout && now - idle_since_ >= *idle_timeout) leaving_ = true;
  loop().timers().arm(timer_, Deadline::at(now + kTick));
  loop().ready().push(flushing_);
}

// Exchanges keep what has arrived for them. It goes in a turn of its own, since whoever calls may still use it.
void Http2Connection::end() {
  if (over_) return;
  walk_news();
  over_ = true;
  cut_ = connection_->tcp().when_cut().is_set();
  arrived_ = arrived();
  timer_.disarm();
  out_.release();
  connection_->stream().end_writing();
  connection_->close_after_use();
  connection_.reset();
  for (Http2Exchange* one = exchanges_.oldest(); one; one = exchanges_.younger_than(*one)) one->hear_end(cut_);
  greeted_.raise(loop().ready());
  loop().ready().push(burying_);
}

void Http2Connection::end_for(const std::exception& error) {
  target_.services().log.error("an HTTP/2 connection to a target is closed for an exception: {}", error.what());
  end();
}

void Http2Connection::bury() {
  if (listed_ && over_ && exchanges_.size() == 0) target_.http2()->remove(*this);
}

}   // namespace proxyd::upstream
