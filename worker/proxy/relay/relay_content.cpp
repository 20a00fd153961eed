#include "worker/proxy/relay/relay_content.h"

#include <algorithm>

namespace proxyd::proxy {
namespace {

using Offered = net::Offer::State;
using Took = net::Taken::State;

constexpr int kPiecesPerTurn = 64;              // then others get theirs (RS-009)
constexpr uint64_t kOctetsPerTurn = 4u << 20;   // or so much

}   // namespace

Deadline Relay::source_deadline() {
  limits_.sink.pause();
  sink_is_moving();
  return limits_.source.deadline(loop_->now()).earlier_of(limits_.total);
}

Deadline Relay::sink_deadline() {
  limits_.source.pause();
  return limits_.sink.deadline(loop_->now()).earlier_of(limits_.total);
}

// Nobody is waited for but the clock.
Deadline Relay::throttle_deadline() {
  limits_.source.pause();
  limits_.sink.pause();
  sink_is_moving();
  return Deadline::at(limits_.throttle->next(loop_->now())).earlier_of(limits_.total);
}

// The sink had no room for half of its limit. Room comes in large steps where the kernel's buffer is large, so the
// peer is asked for: twice in a row it must have taken too little.
bool Relay::sink_has_stalled() {
  const uint64_t delivered = sink_->delivered();
  const bool moving = asked_ && delivered - delivered_ >= limits_.sink.needed();
  stalled_halves_ = moving ? 0 : stalled_halves_ + 1;
  delivered_ = delivered;
  asked_ = true;
  limits_.sink.pause();
  return stalled_halves_ >= 2 || limits_.total.passed(loop_->now());
}

void Relay::sink_is_moving() {
  asked_ = false;
  stalled_halves_ = 0;
}

void Relay::timed_out(End end) { relayed_.end = limits_.total.passed(loop_->now()) ? End::kTotalTimeout : end; }

Relay::Wait Relay::end(End end, net::ContentFault fault) {
  relayed_.end = end;
  relayed_.fault = fault;
  return Wait::kEnd;
}

// What waits in the sink leaves before anyone waits for the source, or at the end.
Relay::Wait Relay::flush(Wait then) {
  const net::Taken flushed = sink_->flush();
  if (flushed.state == Took::kFailed) return end(End::kSinkFailed);
  return flushed.state == Took::kBlocked ? Wait::kSink : then;
}

Relay::Wait Relay::take(const net::Offer& offer) {
  // Nothing beyond the limit is handed on, lest the other end take it for whole.
  const bool beyond = offer.piece.kind != net::PieceKinds::kSocket && offer.piece.size > limits_.most - relayed_.octets;
  if (beyond) return end(End::kTooMuch);
  const net::Taken taken = sink_->take(offer.piece, offer.last);
  source_->consumed(taken.octets);
  relayed_.octets += taken.octets;
  if (limits_.progress) *limits_.progress += taken.octets;
  if (limits_.throttle) limits_.throttle->moved(taken.octets);
  if (relayed_.octets > limits_.most) return end(End::kTooMuch);
  limits_.source.moved(taken.octets, loop_->now());
  if (limits_.sink.moved(taken.octets, loop_->now())) sink_is_moving();
  switch (taken.state) {
    case Took::kMore: return offer.last && sink_->finished() ? Wait::kEnd : Wait::kNothing;   // it left with the piece
    case Took::kBlocked: return Wait::kSink;
    case Took::kSourceDry: source_->ran_dry(); return Wait::kNothing;
    case Took::kSourceEnded: source_->ended_while_spliced(); return Wait::kNothing;
    case Took::kFailed: return end(End::kSinkFailed);
  }
  return Wait::kNothing;
}

Relay::Wait Relay::finish() {
  if (!finished_ && sink_->finish(source_->trailers()).state == Took::kFailed) return end(End::kSinkFailed);
  finished_ = true;
  return flush(Wait::kEnd);
}

net::Offer Relay::throttled(net::Offer offer, uint64_t most) {
  if (offer.piece.size <= most && offer.piece.more.empty()) return offer;
  offer.piece.size = std::min(offer.piece.size, most);
  offer.piece.more = {};
  offer.last = false;
  return offer;
}

Relay::Wait Relay::step() {
  if (finished_) return finish();
  const uint64_t most = limits_.throttle ? limits_.throttle->allowance(loop_->now()) : UINT64_MAX;
  if (most == 0) return flush(Wait::kThrottle);
  const net::Offer offer = source_->offer(sink_->accepts());
  switch (offer.state) {
    case Offered::kPiece: return take(limits_.throttle ? throttled(offer, most) : offer);
    case Offered::kPending: return flush(Wait::kSource);
    case Offered::kFailed: return end(is_cut() ? End::kCut : End::kSourceFailed, offer.fault);
    case Offered::kEnd: return finish();
  }
  return Wait::kEnd;
}

bool Relay::go_on() {
  wait_ = Wait::kNothing;
  const uint64_t enough = relayed_.octets + kOctetsPerTurn;
  for (int pieces = 0; pieces < kPiecesPerTurn && wait_ == Wait::kNothing && relayed_.octets < enough; ++pieces)
    wait_ = step();
  return wait_ == Wait::kEnd;
}

async::Task<Relayed> relay_content(Relay relay) {
  for (;;) {
    if (relay.go_on()) co_return relay.relayed();
    if (relay.wait_ == Relay::Wait::kSource) {
      const bool ready = co_await relay.source_->more(relay.source_deadline());
      if (ready) continue;
      relay.timed_out(Relayed::End::kSourceTimeout);
      co_return relay.relayed();
    }
    if (relay.wait_ == Relay::Wait::kSink) {
      if (relay.is_cut()) {
        relay.end(Relayed::End::kCut);
        co_return relay.relayed();
      }
      const Deadline deadline = relay.sink_deadline();
      async::WaitReady room = relay.sink_->room(deadline);
      if (relay.limits_.cut && !relay.limits_.cut->is_set()) room.or_when(*relay.limits_.cut);
      const bool ready = co_await room;
      const bool late = deadline.passed(relay.loop_->now());   // else it was cut
      if (ready || !late || !relay.sink_has_stalled()) continue;
      relay.timed_out(Relayed::End::kSinkTimeout);
      co_return relay.relayed();
    }
    if (relay.wait_ == Relay::Wait::kThrottle) {
      co_await async::Sleep(*relay.loop_, relay.throttle_deadline());
      if (!relay.is_cut() && !relay.limits_.total.passed(relay.loop_->now())) continue;
      relay.end(relay.is_cut() ? Relayed::End::kCut : Relayed::End::kTotalTimeout);
      co_return relay.relayed();
    }
    co_await async::Yield();
  }
}

}   // namespace proxyd::proxy
