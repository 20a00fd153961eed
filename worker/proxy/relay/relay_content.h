#pragma once

#include <cstdint>

#include "worker/async/event_loop.h"
#include "worker/async/task.h"
#include "worker/net/content.h"
#include "worker/proxy/relay/pace.h"
#include "worker/proxy/relay/throttle.h"

namespace proxyd::proxy {

// How a transfer ended, and by whose fault.
struct Relayed {
  enum class End : uint8_t {
    kComplete,
    kSourceFailed,
    kSourceTimeout,
    kCut,
    kSinkFailed,
    kSinkTimeout,
    kTotalTimeout,
    kTooMuch
  };
  End end = End::kComplete;
  net::ContentFault fault = net::ContentFault::kNone;   // of the source
  uint64_t octets = 0;
};

struct RelayLimits {
  Pace source;
  Pace sink;
  Deadline total = Deadline::never();
  uint64_t most = UINT64_MAX;     // octets; more end the transfer with kTooMuch
  uint64_t* progress = nullptr;   // octets are counted here too, while they move
  Throttle* throttle = nullptr;   // no more than it allows; it outlives the transfer
  async::Signal* cut =
      nullptr;   // of the source: raised, the transfer ends with kCut, unless its length tells that all of it is here
};

// Moves content from a source to a sink until it ends, with back-pressure: nothing is read that the sink does not take.
// Octets are spliced where both ends can. A value; both ends outlive it. Nothing suspends: what has to be waited for is
// awaited by `relay_content`.
class Relay {
 public:
  enum class Wait : uint8_t { kNothing, kSource, kSink, kThrottle, kEnd };

  Relay(async::EventLoop& loop, net::ContentSource& source, net::ContentSink& sink, const RelayLimits& limits)
      : loop_(&loop), source_(&source), sink_(&sink), limits_(limits) {
    limits_.sink = limits.sink.halved();
  }

  // As far as it goes at once, and no further than one turn; true when it has ended. Before anything is waited for,
  // what waits in the sink has left.
  bool go_on();
  const Relayed& relayed() const { return relayed_; }

 private:
  friend async::Task<Relayed> relay_content(Relay relay);
  using End = Relayed::End;

  Wait step();
  static net::Offer throttled(net::Offer offer, uint64_t most);
  Wait take(const net::Offer& offer);
  Wait finish();
  Wait flush(Wait then);
  Wait end(End end, net::ContentFault fault = net::ContentFault::kNone);
  Deadline source_deadline();
  Deadline sink_deadline();
  Deadline throttle_deadline();
  bool sink_has_stalled();
  bool is_cut() const { return limits_.cut && limits_.cut->is_set() && !source_->all_here(); }
  void sink_is_moving();
  void timed_out(End end);

  async::EventLoop* loop_;
  net::ContentSource* source_;
  net::ContentSink* sink_;
  RelayLimits limits_;
  Relayed relayed_;
  uint64_t delivered_ = 0;   // when the sink was asked last
  int stalled_halves_ = 0;
  Wait wait_ = Wait::kNothing;
  bool asked_ = false;
  bool finished_ = false;
};

// Goes on with `relay` to its end. Suspends.
async::Task<Relayed> relay_content(Relay relay);

}   // namespace proxyd::proxy
