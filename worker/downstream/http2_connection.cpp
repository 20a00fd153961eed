#include "worker/downstream/http2_connection.h"

#include <new>
#include <tuple>

#include "shared/base/steady.h"
#include "worker/downstream/connection.h"

namespace proxyd::downstream {
namespace {

constexpr size_t kReadBuffer = 16 * 1024;
constexpr size_t kOutput = 64 * 1024;
constexpr size_t kFrameRoom = 16'393;      // holds every frame
constexpr int kReadsPerTurn = 4;           // then others get theirs
constexpr size_t kAtOnce = 4 * 1024;       // then the news are heard: what was opened and reset in it counts no more
constexpr uint64_t kSlowestClient = 256;   // octets a second
constexpr auto kTick = milliseconds(1000);
constexpr auto kDrainWait = milliseconds(1000);   // a round trip, between the first GOAWAY and the last
constexpr auto kLinger = milliseconds(2000);
constexpr auto kIgnored = milliseconds(100);   // who floods, once he has GOAWAY
constexpr auto kMostWaitForTurn = milliseconds(1000);

http2::Settings settings_of(const Connection& connection) {
  const Settings& settings = connection.settings();
  http2::Settings wanted;
  wanted.max_header_list = static_cast<uint32_t>(settings.head.max_section);
  wanted.max_fields = static_cast<uint32_t>(settings.head.max_fields);
  wanted.max_target = static_cast<uint32_t>(settings.head.max_line);
  wanted.underscore = settings.head.underscore;
  wanted.https = connection.peer().tls != nullptr;
  return wanted;
}

// A frame may take three times as long as a head, from its first octet to the last.
std::optional<milliseconds> frame_wait(const Waits& waits) {
  return waits.client_header ? std::optional(*waits.client_header * 3) : std::nullopt;
}

bool is_over(Instant since, std::optional<milliseconds> limit, Instant now) { return limit && now - since >= *limit; }

}   // namespace

Http2Connection::Http2Connection(Connection& connection)
    : connection_(connection),
      session_(http2::Role::kServer, settings_of(connection), connection.services().http2.memory,
               connection.services().http2.counters) {}

Http2Connection::~Http2Connection() {
  while (Http2Exchange* exchange = exchanges_.oldest()) {
    exchanges_.remove(*exchange);
    delete exchange;
  }
}

async::EventLoop& Http2Connection::loop() const { return connection_.loop(); }

void Http2Connection::start() {
  began_ = idle_since_ = frame_began_ = loop().now();
  async::Watched& watched = connection_.stream().watched();
  watched.when_readable().notify(&reading_);
  watched.when_writable().notify(&flushing_);
  watched.when_hung_up().notify(&reading_);
  produce();   // the preface
  loop().ready().push(reading_);
  loop().timers().arm(timer_, Deadline::at(began_ + kTick));
}

void Http2Connection::drain() {
  if (session_.draining()) return;
  drain_began_ = loop().now();
  session_.begin_drain();
  produce();
  loop().timers().arm(timer_, Deadline::at(drain_began_ + kTick));
}

// -- what comes in

// Whoever floods is told so, and from then on ignored: what he sends stays in his own buffers, and he has to wait for
// the end. To read on, and to let him come again at once, would be work for us and none for him.
bool Http2Connection::ignores_client() const {
  return http2::code_of(session_.fault()) == http2::ErrorCode::kEnhanceYourCalm;
}

// Not while the client takes nothing: what it asks for would wait here.
void Http2Connection::read() {
  const async::Watched& watched = connection_.stream().watched();
  if (ignores_client()) return watched.peer_closed() || watched.broken() ? end() : void();
  if (blocked_ && !watched.broken()) return;
  net::Buffer buffer = connection_.services().buffers.borrow(kReadBuffer);
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    const net::Moved moved = connection_.stream().read(buffer.data(), buffer.capacity());
    if (moved.state == net::Moved::State::kWouldBlock) return;
    if (moved.state != net::Moved::State::kSome) return end();
    receive({buffer.data(), moved.octets});
    if (ignores_client()) return;
  }
  if (connection_.stream().watched().readable()) loop().ready().push(reading_);
}

// What comes after a fault is read and dropped, for a reset would overtake GOAWAY; but see `ignores_client`.
void Http2Connection::receive(std::string_view octets) {
  const auto now = static_cast<uint64_t>(steady_ms(loop().now()));
  const bool owed_before = session_.within_frame();
  while (!octets.empty() && session_.fault() == http2::Fault::kNone) {
    const std::string_view some = octets.substr(0, kAtOnce);
    octets.remove_prefix(some.size());
    (void)session_.receive(some, now);
    walk_news();
  }
  if (!owed_before || session_.frames_begun() != frames_) frame_began_ = loop().now();
  frames_ = session_.frames_begun();
  loop().ready().push(flushing_);
}

void Http2Connection::walk_news() {
  using http2::News;
  while (http2::Stream* stream = session_.next_news()) {
    const News news = stream->take_news();
    auto* exchange = static_cast<Http2Exchange*>(stream->owner);
    const bool malformed = stream->refusal() != http::Refusal::kNone;   // who answers notes it, and ends
    if (exchange && holds(news, News::kReset) && !malformed) {
      forget(*exchange);   // and with it what it does at its origin
    } else if (exchange) {
      exchange->hear(news);
    } else if (malformed || (holds(news, News::kHead) && !stream->is_reset())) {
      begin(*stream);
    } else {
      stream->release();
    }
  }
}

void Http2Connection::begin(http2::Stream& stream) {
  connection_.follow_listener();
  std::unique_ptr<Http2Exchange> exchange;
  try {
    exchange = std::make_unique<Http2Exchange>(*this, stream);
    exchanges_.add(*exchange);
    become_busy();
    exchange.release()->start();
  } catch (const std::bad_alloc&) {
    auto* made = static_cast<Http2Exchange*>(stream.owner);
    stream.reset(http2::ErrorCode::kEnhanceYourCalm);
    if (!made || exchange) return stream.release();
    forget(*made);
  }
}

void Http2Connection::forget(Http2Exchange& exchange) {
  exchanges_.remove(exchange);
  if (exchange.awaits_room_) --waiting_for_room_;
  delete &exchange;
  loop().ready().push(flushing_);
}

// -- what goes out

bool Http2Connection::has_room() {
  if (blocked_ || broken_) return false;
  if (!out_) out_ = connection_.services().buffers.borrow(kOutput);   // may throw, which nothing does behind an offer
  if (out_.capacity() - out_end_ >= kFrameRoom) return true;
  write();
  return !blocked_ && !broken_;
}

uint64_t Http2Connection::arrived() const {
  const uint64_t on_its_way = connection_.stream().unacknowledged();
  arrived_ = std::max(arrived_, written_ - std::min(written_, on_its_way));
  return arrived_;
}

void Http2Connection::wait_for_room(Http2Exchange& exchange) {
  if (!exchange.awaits_room_) {
    ++waiting_for_room_;
    exchange.waits_from_ = arrived();
    exchange.waits_since_ = loop().now();
  }
  exchange.awaits_room_ = true;
  loop().ready().push(flushing_);
}

size_t Http2Connection::produce() {
  if (broken_) return 0;
  if (!out_) out_ = connection_.services().buffers.borrow(kOutput);
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
  net::Stream& stream = connection_.stream();
  if (waiting() > 0) {
    const iovec part{out_.data() + out_begin_, waiting()};
    const net::Moved moved = stream.write({&part, 1});
    broken_ = broken_ || moved.state == net::Moved::State::kBroken;
    out_begin_ += moved.octets;
    written_ += moved.octets;
  }
  if (waiting() == 0) {
    out_.release();
    out_begin_ = out_end_ = 0;
  }
  if (stream.holds_back()) broken_ = stream.push().state == net::Moved::State::kBroken || broken_;
  const bool was_blocked = std::exchange(blocked_, waiting() > 0 || stream.holds_back());
  if (blocked_ && !was_blocked) {
    blocked_since_ = loop().now();
    arrived_when_blocked_ = arrived();
    if (idle_) loop().timers().arm(timer_, Deadline::at(blocked_since_ + kTick));   // which slept
  }
  if (was_blocked && !blocked_ && stream.watched().readable()) loop().ready().push(reading_);
}

void Http2Connection::flush() {
  do {
    if (session_.has_output()) produce();
    write();
  } while (!blocked_ && !broken_ && session_.has_output());
  if (broken_) return end();
  if (session_.fault() != http2::Fault::kNone) walk_news();   // what ends with the connection is told so
  wake_next();
  settle();
}

// One at a time: whoever comes next is woken by the flush that follows this one's turn.
void Http2Connection::wake_next() {
  if (waiting_for_room_ == 0 || !has_room()) return;
  const Instant now = loop().now();
  const auto rank = [now](const Http2Exchange& exchange) {
    const http2::Priority priority = exchange.stream_.priority();
    const auto order = priority.incremental ? exchange.turn_ : static_cast<uint64_t>(exchange.stream_.id());
    const bool patient = now - exchange.waits_since_ < kMostWaitForTurn;   // else one long answer would starve it
    return std::tuple(patient, priority.urgency, priority.incremental, order);
  };
  Http2Exchange* first = nullptr;
  for (Http2Exchange* one = exchanges_.oldest(); one; one = exchanges_.younger_than(*one)) {
    if (one->awaits_room_ && (!first || rank(*one) < rank(*first))) first = one;
  }
  if (!first) return;
  first->passed_ = first->passed_by();
  first->awaits_room_ = false;
  first->turn_ = ++turns_;
  --waiting_for_room_;
  first->wake_for_room();
  loop().ready().push(flushing_);
}

// -- the connection's life

void Http2Connection::become_busy() {
  if (!idle_) return;
  idle_ = false;
  connection_.become_busy();
  loop().timers().arm(timer_, Deadline::at(loop().now() + kTick));
}

// Nothing is left to be written: over, or idle.
void Http2Connection::settle() {
  if (waiting() > 0 || blocked_ || exchanges_.size() > 0) return;
  if (session_.fault() != http2::Fault::kNone || session_.is_over()) {
    if (ignores_client() && connection_.stream().watched().peer_closed()) return end();
    if (!ending_) {
      ending_ = true;
      blocked_since_ = loop().now();
      arrived_when_blocked_ = arrived();
      lingers_since_ = loop().now();
      connection_.become_ending();
      if (!ignores_client()) connection_.stream().end_writing();
      loop().timers().arm(timer_, Deadline::at(loop().now() + (ignores_client() ? kIgnored : kTick)));
    }
    return;
  }
  if (idle_) return;
  idle_ = true;
  idle_since_ = loop().now();
  connection_.become_idle();
}

// While it takes at least so many octets a second a client is not cut off, however slow it is.
void Http2Connection::watch_progress(Instant now) {
  const std::optional<milliseconds> limit = connection_.waits().client_write;
  if (!limit || (!blocked_ && !ending_)) return;
  const uint64_t so_far = arrived();
  const auto needed = kSlowestClient * static_cast<uint64_t>(limit->count()) / 1000;
  const bool all_there = ending_ && connection_.stream().unacknowledged() == 0;
  if (!all_there && so_far - arrived_when_blocked_ < std::max<uint64_t>(needed, 1)) return;
  arrived_when_blocked_ = so_far;
  blocked_since_ = now;
}

void Http2Connection::look() {
  const Instant now = loop().now();
  watch_progress(now);
  if (ending_ && has_lingered(now)) return end();
  if (give_up(now)) {
    connection_.stream().abort_on_close();
    return end();
  }
  if (connection_.is_ending()) drain();
  if (session_.draining() && !said_last_stream_ && now - drain_began_ >= kDrainWait) {
    said_last_stream_ = true;
    session_.end_drain();
  }
  const bool rested = idle_ && !ending_ && is_over(idle_since_, connection_.waits().keepalive, now);
  if (rested && !session_.draining()) {
    connection_.services().keepalive_timeouts.add();
    drain();
  }
  produce();
  Deadline next = Deadline::at(now + kTick);
  const bool sleeps = idle_ && !ending_ && !blocked_ && !session_.awaits_settings_ack() && !session_.within_frame() &&
                      !session_.draining();
  if (sleeps) next = Deadline::after(idle_since_, connection_.waits().keepalive);
  loop().timers().arm(timer_, next);
}

// What is still on its way is not met by a reset; of a client that is ignored that holds for a while.
bool Http2Connection::has_lingered(Instant now) {
  const bool all_there = connection_.stream().unacknowledged() == 0;
  if (ignores_client() && all_there) return now - lingers_since_ >= kIgnored;
  if (!ignores_client() && !all_there) lingers_since_ = now;
  return now - lingers_since_ >= kLinger;
}

// What a client may take its time for has an end.
bool Http2Connection::give_up(Instant now) {
  Services& services = connection_.services();
  if (!session_.received_preface() && is_over(began_, connection_.settings().waits.client_header, now)) {
    services.http2.preface_timeouts.add();
    return true;
  }
  const bool unacknowledged = session_.awaits_settings_ack() && !blocked_ && session_.fault() == http2::Fault::kNone;
  if (unacknowledged && is_over(began_, connection_.settings().waits.client_header, now)) {
    session_.fail(http2::Fault::kSettingsTimeout);
    walk_news();
  }
  if (session_.within_frame() && is_over(frame_began_, frame_wait(connection_.settings().waits), now)) {
    services.http2.frame_timeouts.add();
    return true;
  }
  return (blocked_ || ending_) && is_over(blocked_since_, connection_.waits().client_write, now);
}

void Http2Connection::end() { connection_.close(); }   // which destroys this

void Http2Connection::end_for(const std::exception& error) {
  Services& services = connection_.services();
  services.unhandled_exceptions.add();
  services.log.error("an HTTP/2 connection is closed for an exception: {}", error.what());
  connection_.stream().abort_on_close();
  end();
}

}   // namespace proxyd::downstream
