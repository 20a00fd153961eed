#pragma once

#include <cstdint>

#include "shared/base/clock.h"
#include "worker/async/event_loop.h"
#include "worker/net/piece.h"

namespace proxyd::http {
class Fields;
}

namespace proxyd::net {

// Why content could not be moved on.
enum class ContentFault : uint8_t {
  kNone,
  kTimeout,     // a deadline passed
  kClosed,      // the peer ended the stream before the content was complete
  kReset,       // the connection is broken
  kMalformed,   // framing that makes no sense; the owner knows which
};

// What a source has right now.
struct Offer {
  enum class State : uint8_t { kPiece, kPending, kEnd, kFailed };
  State state = State::kPending;
  Piece piece;
  bool last = false;   // nothing comes after this piece and its `more`, not even trailers
  ContentFault fault = ContentFault::kNone;
};

// Where content comes from: the content of a request, of a response, of a stored response. It offers pieces and takes
// back what was consumed, which is the back-pressure. `offer` never suspends; it may read from the socket.
class ContentSource {
 public:
  virtual ~ContentSource() = default;

  virtual Offer offer(PieceKinds kinds) = 0;
  // So much of the piece offered last is done with.
  virtual void consumed(uint64_t octets) = 0;
  // The socket of the last piece had nothing after all.
  virtual void ran_dry() = 0;
  // … and has ended or is broken.
  virtual void ended_while_spliced() = 0;
  // Suspends until `offer` may say something other than pending; false when the deadline passed first.
  virtual async::WaitReady more(Deadline deadline) = 0;
  // Nothing of it is still to come from the peer. Asks the kernel.
  virtual bool all_here() const = 0;
  // After kEnd; null when there are none.
  virtual const http::Fields* trailers() const = 0;
};

// What a sink did with a piece.
struct Taken {
  enum class State : uint8_t { kMore, kBlocked, kSourceDry, kSourceEnded, kFailed };
  State state = State::kMore;   // kBlocked: `room` first; kSourceDry: the piece's socket is empty
  uint64_t octets = 0;          // consumed of the piece and its `more`
};

// Where content goes: toward the client, toward the origin. Nothing here suspends but `room`. Octets that were taken
// may still wait in the sink; `flush` pushes them on and `room` waits for them.
class ContentSink {
 public:
  virtual ~ContentSink() = default;

  virtual PieceKinds accepts() const = 0;
  // `last` promises that `finish` would follow with no trailers: the end goes out with the piece when all of it does.
  virtual Taken take(const Piece& piece, bool last) = 0;
  // Ends the content; kMore when everything is on its way.
  virtual Taken finish(const http::Fields* trailers) = 0;
  virtual Taken flush() = 0;
  virtual bool finished() const = 0;
  // Octets, framing included, that have arrived at the peer's side. Asks the kernel.
  virtual uint64_t delivered() const = 0;
  // Suspends until the sink may take more; false when the deadline passed first.
  virtual async::WaitReady room(Deadline deadline) = 0;
};

}   // namespace proxyd::net
