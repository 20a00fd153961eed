#pragma once

#include "worker/http/head.h"
#include "worker/http1/serializer.h"
#include "worker/net/buffer_pool.h"
#include "worker/net/content.h"
#include "worker/net/pipe_pool.h"
#include "worker/net/stream.h"

namespace proxyd::message {

// Heads and content of HTTP/1 messages on their way into a stream, framing put on (RFC 9112 6, 7). A head waits here
// for the first piece of content, so that both leave in one call. Pieces are written from where they lie; sockets are
// spliced through a pipe. Owned by an exchange; holds a buffer or a pipe only while something waits in it.
class ContentWriter final : public net::ContentSink {
 public:
  ContentWriter(net::Stream& stream, net::BufferPool& pool, net::PipePool& pipes)
      : stream_(stream), pool_(pool), pipes_(pipes) {}
  ~ContentWriter() override { give_back_pipe(); }

  // Serializes a head behind what waits, by `write`, which is called again with a larger buffer when it overflows.
  // False when even the largest is too small.
  template <class Write>
  bool head(Write write);
  // How the content that follows is framed.
  void start(http::ContentLength content);

  net::PieceKinds accepts() const override;
  net::Taken take(const net::Piece& piece, bool last) override;
  net::Taken finish(const http::Fields* trailers) override;
  net::Taken flush() override;
  bool finished() const override { return finished_ && waiting() == 0 && in_pipe_ == 0 && !stream_.holds_back(); }
  uint64_t delivered() const override;
  async::WaitReady room(Deadline deadline) override { return stream_.writable(deadline); }

  uint64_t sent() const { return sent_; }   // octets that left, heads included
  uint64_t content_sent() const { return content_taken_; }

 private:
  using Kind = http::ContentLength::Kind;

  size_t waiting() const { return end_ - begin_; }
  bool reserve(size_t octets);
  void append(std::string_view text);
  net::Taken take_short(std::string_view octets, bool last);
  net::Taken take_octets(const net::Piece& piece, bool last);
  net::Taken take_ranges(const net::Piece& piece, bool last);
  net::Taken take_socket(const net::Piece& piece);
  net::Taken drain_pipe();
  void give_back_pipe();
  void count(uint64_t octets);

  net::Stream& stream_;
  net::BufferPool& pool_;
  net::PipePool& pipes_;
  net::Buffer out_;
  size_t begin_ = 0;
  size_t end_ = 0;
  net::Pipe pipe_;
  size_t in_pipe_ = 0;
  http::ContentLength content_;
  uint64_t left_ = 0;         // for kKnown: still to be taken
  uint64_t chunk_left_ = 0;   // of the chunk that has been announced
  uint64_t sent_ = 0;
  uint64_t content_taken_ = 0;
  bool finished_ = false;
  bool copies_ = false;   // for want of a pipe
};

template <class Write>
bool ContentWriter::head(Write write) {
  for (size_t room = 2048;; room *= 4) {
    if (!reserve(room)) return false;
    http1::Serializer serializer(out_.data() + end_, out_.capacity() - end_);
    write(serializer);
    if (serializer.overflowed()) continue;
    end_ += serializer.size();
    return true;
  }
}

}   // namespace proxyd::message
