#pragma once

#include <cstdint>

#include "worker/async/event_loop.h"
#include "worker/async/task.h"
#include "worker/net/content.h"
#include "worker/proxy/pace.h"

namespace proxyd::proxy {

// How a transfer ended, and by whose fault.
struct Relayed {
  enum class End : uint8_t {
    kComplete,
    kSourceFailed,
    kSourceTimeout,
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
};

// Moves content from a source to a sink until it ends, with back-pressure: nothing is read that the sink does not take.
// Octets are spliced where both ends can. What waits in the sink leaves before this suspends for the source. Suspends;
// both ends outlive the task.
async::Task<Relayed> relay_content(async::EventLoop& loop, net::ContentSource& source, net::ContentSink& sink,
                                   RelayLimits limits);

}   // namespace proxyd::proxy
