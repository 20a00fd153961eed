#pragma once

#include "shared/base/unique_fd.h"
#include "worker/net/stream.h"

namespace proxyd::net {

// A connected TCP or unix stream socket, non-blocking, in the loop edge-triggered. Lies in its connection, so that an
// idle one costs no more than this. Closing is destroying.
class TcpStream final : public Stream {
 public:
  TcpStream() = default;

  // Takes over a connected (or connecting) socket. False when the loop can't watch it.
  bool start(async::EventLoop& loop, UniqueFd socket);

  Moved read(char* to, size_t size) override;
  // What has arrived, left where it is.
  Moved peek(char* to, size_t size);
  Moved write(std::span<const iovec> from) override;
  size_t unacknowledged() const override;
  size_t arrived() const override;
  // The kernel would take octets now, for a third of its buffer is free. Asks it; when not, waits for it.
  bool has_room();
  int spliceable_descriptor() const override { return socket_.value(); }
  void end_writing() override;
  void abort_on_close() override;
  // Ends it both ways, now: the loop tells whoever waits. What has arrived may still be read; behind it the stream is
  // broken, so that nobody takes this for the peer's end.
  void cut();
  async::Signal& when_cut() { return cut_; }
  async::WaitReady readable(Deadline deadline) override;
  async::WaitReady writable(Deadline deadline) override;
  async::Watched& watched() override { return watched_; }

 private:
  UniqueFd socket_;
  async::Signal cut_;
  async::Watched watched_;
};

}   // namespace proxyd::net
