#include "worker/proxy/relay_content.h"

namespace proxyd::proxy {
namespace {

using End = Relayed::End;
using Offered = net::Offer::State;
using Took = net::Taken::State;

constexpr int kPiecesPerTurn = 64;   // then others get theirs (RS-009)

// One transfer: what to do next is decided without suspending, and waited for in `relay_content`.
class Transfer {
 public:
  enum class Wait : uint8_t { kNothing, kSource, kSink, kEnd };

  Transfer(async::EventLoop& loop, net::ContentSource& source, net::ContentSink& sink, const RelayLimits& limits)
      : loop_(loop), source_(source), sink_(sink), limits_(limits) {
    limits_.sink = limits.sink.halved();
  }

  // Moves one piece, or finds out what has to be waited for.
  Wait step();
  Deadline source_deadline() {
    limits_.sink.pause();
    sink_is_moving();
    return limits_.source.deadline(loop_.now()).earlier_of(limits_.total);
  }
  Deadline sink_deadline() {
    limits_.source.pause();
    return limits_.sink.deadline(loop_.now()).earlier_of(limits_.total);
  }
  // The sink had no room for half of its limit. Room comes in large steps where the kernel's buffer is large, so the
  // peer is asked for: twice in a row it must have taken too little.
  bool sink_has_stalled() {
    const uint64_t delivered = sink_.delivered();
    const bool moving = asked_ && delivered - delivered_ >= limits_.sink.needed();
    stalled_halves_ = moving ? 0 : stalled_halves_ + 1;
    delivered_ = delivered;
    asked_ = true;
    limits_.sink.pause();
    return stalled_halves_ >= 2 || limits_.total.passed(loop_.now());
  }
  void timed_out(End end) { relayed_.end = limits_.total.passed(loop_.now()) ? End::kTotalTimeout : end; }
  const Relayed& relayed() const { return relayed_; }

 private:
  Wait end(End end, net::ContentFault fault = net::ContentFault::kNone) {
    relayed_.end = end;
    relayed_.fault = fault;
    return Wait::kEnd;
  }
  // What waits in the sink leaves before anyone waits for the source, or at the end.
  Wait flush(Wait then) {
    const net::Taken flushed = sink_.flush();
    if (flushed.state == Took::kFailed) return end(End::kSinkFailed);
    return flushed.state == Took::kBlocked ? Wait::kSink : then;
  }
  void sink_is_moving() {
    asked_ = false;
    stalled_halves_ = 0;
  }
  Wait take(const net::Offer& offer);
  Wait finish();

  async::EventLoop& loop_;
  net::ContentSource& source_;
  net::ContentSink& sink_;
  RelayLimits limits_;
  Relayed relayed_;
  uint64_t delivered_ = 0;   // when the sink was asked last
  int stalled_halves_ = 0;
  bool asked_ = false;
  bool finished_ = false;
};

Transfer::Wait Transfer::take(const net::Offer& offer) {
  // Nothing beyond the limit is handed on, lest the other end take it for whole.
  const bool beyond = offer.piece.kind != net::PieceKinds::kSocket && offer.piece.size > limits_.most - relayed_.octets;
  if (beyond) return end(End::kTooMuch);
  const net::Taken taken = sink_.take(offer.piece, offer.last);
  source_.consumed(taken.octets);
  relayed_.octets += taken.octets;
  if (limits_.progress) *limits_.progress += taken.octets;
  if (relayed_.octets > limits_.most) return end(End::kTooMuch);
  limits_.source.moved(taken.octets, loop_.now());
  if (limits_.sink.moved(taken.octets, loop_.now())) sink_is_moving();
  switch (taken.state) {
    case Took::kMore: return Wait::kNothing;
    case Took::kBlocked: return Wait::kSink;
    case Took::kSourceDry: source_.ran_dry(); return Wait::kNothing;
    case Took::kSourceEnded: source_.ended_while_spliced(); return Wait::kNothing;
    case Took::kFailed: return end(End::kSinkFailed);
  }
  return Wait::kNothing;
}

Transfer::Wait Transfer::finish() {
  if (!finished_ && sink_.finish(source_.trailers()).state == Took::kFailed) return end(End::kSinkFailed);
  finished_ = true;
  return flush(Wait::kEnd);
}

Transfer::Wait Transfer::step() {
  if (finished_) return finish();
  const net::Offer offer = source_.offer(sink_.accepts());
  switch (offer.state) {
    case Offered::kPiece: return take(offer);
    case Offered::kPending: return flush(Wait::kSource);
    case Offered::kFailed: return end(End::kSourceFailed, offer.fault);
    case Offered::kEnd: return finish();
  }
  return Wait::kEnd;
}

}   // namespace

async::Task<Relayed> relay_content(async::EventLoop& loop, net::ContentSource& source, net::ContentSink& sink,
                                   RelayLimits limits) {
  Transfer transfer(loop, source, sink, limits);
  for (int steps = 1;; ++steps) {
    const Transfer::Wait wait = transfer.step();
    if (wait == Transfer::Wait::kEnd) co_return transfer.relayed();
    if (wait == Transfer::Wait::kSource) {
      const bool ready = co_await source.more(transfer.source_deadline());
      if (ready) continue;
      transfer.timed_out(End::kSourceTimeout);
      co_return transfer.relayed();
    }
    if (wait == Transfer::Wait::kSink) {
      const bool ready = co_await sink.room(transfer.sink_deadline());
      if (ready || !transfer.sink_has_stalled()) continue;
      transfer.timed_out(End::kSinkTimeout);
      co_return transfer.relayed();
    }
    if (steps % kPiecesPerTurn == 0) co_await async::Yield();
  }
}

}   // namespace proxyd::proxy
