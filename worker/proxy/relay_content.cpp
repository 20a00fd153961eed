#include "worker/proxy/relay_content.h"

namespace proxyd::proxy {
namespace {

using End = Relayed::End;
using Offered = net::Offer::State;
using Took = net::Taken::State;

constexpr int kPiecesPerTurn = 64;   // then others get theirs (RS-009)

// Gives way to everything else that is ready.
struct Yield : async::Resume {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> awaiting) {
    handle = awaiting;
    async::ReadyQueue::of_this_thread().push(*this);
  }
  void await_resume() const {}
};

// One transfer: what to do next is decided without suspending, and waited for in `relay_content`.
class Transfer {
 public:
  enum class Wait : uint8_t { kNothing, kSource, kSink, kEnd };

  Transfer(async::EventLoop& loop, net::ContentSource& source, net::ContentSink& sink, const RelayLimits& limits)
      : loop_(loop), source_(source), sink_(sink), limits_(limits) {}

  // Moves one piece, or finds out what has to be waited for.
  Wait step();
  Deadline source_deadline() {
    limits_.sink.pause();
    return limits_.source.deadline(loop_.now()).earlier_of(limits_.total);
  }
  Deadline sink_deadline() {
    limits_.source.pause();
    return limits_.sink.deadline(loop_.now()).earlier_of(limits_.total);
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
  Wait take(const net::Offer& offer);
  Wait finish();

  async::EventLoop& loop_;
  net::ContentSource& source_;
  net::ContentSink& sink_;
  RelayLimits limits_;
  Relayed relayed_;
  bool finished_ = false;
};

Transfer::Wait Transfer::take(const net::Offer& offer) {
  const net::Taken taken = sink_.take(offer.piece, offer.last);
  source_.consumed(taken.octets);
  relayed_.octets += taken.octets;
  if (limits_.progress) *limits_.progress += taken.octets;
  if (relayed_.octets > limits_.most) return end(End::kTooMuch);
  limits_.source.moved(taken.octets, loop_.now());
  limits_.sink.moved(taken.octets, loop_.now());
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

}  // namespace

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
      if (ready) continue;
      transfer.timed_out(End::kSinkTimeout);
      co_return transfer.relayed();
    }
    if (steps % kPiecesPerTurn == 0) co_await Yield();
  }
}

}  // namespace proxyd::proxy
