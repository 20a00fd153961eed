#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "worker/async/event_loop.h"

namespace proxyd::net {

// The outcome of one attempt to move octets.
struct Moved {
  enum class State : uint8_t { kSome, kWouldBlock, kEnd, kBroken };
  State state = State::kSome;
  size_t octets = 0;
};

// A reliable stream of octets to one peer: plain TCP or unix, or TLS over it. Owned by a connection. Reads and writes
// never suspend; `readable` and `writable` do, with a deadline. A broken stream stays broken.
class Stream {
 public:
  virtual ~Stream() = default;

  virtual Moved read(char* to, size_t size) = 0;
  virtual Moved write(std::span<const iovec> from) = 0;
  // Octets were taken that wait here for the socket, as records made of what was written: `push` moves them on.
  bool holds_back() const { return holds_back_; }
  virtual Moved push() { return {}; }
  // Octets written that the peer's side has not acknowledged yet, where the kernel tells; else 0.
  virtual size_t unacknowledged() const = 0;
  // Octets that have arrived and were not read yet, where the kernel tells; else 0.
  virtual size_t arrived() const = 0;
  // The socket, when its octets are the stream's octets and may be spliced; else -1.
  virtual int spliceable_descriptor() const = 0;
  // … when what is spliced into it is as good as written; `spliced` is called afterwards.
  virtual int descriptor_to_splice_into() const { return spliceable_descriptor(); }
  virtual void spliced() {}
  // No more octets from us; the peer sees the end, reading goes on.
  virtual void end_writing() = 0;
  // Close with a reset, so that the peer cannot take a cut answer for a whole one.
  virtual void abort_on_close() = 0;

  virtual async::WaitReady readable(Deadline deadline) = 0;
  virtual async::WaitReady writable(Deadline deadline) = 0;
  virtual async::Watched& watched() = 0;

 protected:
  void set_holds_back(bool holds) { holds_back_ = holds; }

 private:
  bool holds_back_ = false;
};

}   // namespace proxyd::net
