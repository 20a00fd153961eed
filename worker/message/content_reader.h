#pragma once

#include <optional>

#include "worker/http/head.h"
#include "worker/http1/chunked.h"
#include "worker/message/input.h"
#include "worker/net/content.h"

namespace proxyd::message {

// The content of one HTTP/1 message as it comes from a stream, framing taken off (RFC 9112 6, 7). First come the octets
// that arrived with the head, then what is read into a buffer of its own, so that views into the head stay valid; or
// the socket itself is offered to be spliced, where the length is not chunked and at least 64 KiB are due. A tunnel is
// offered so after two full reads in a row. Owned by an exchange; holds no buffer while nothing waits in it.
class ContentReader final : public net::ContentSource {
 public:
  ContentReader(net::Stream& stream, Input& with_head, net::BufferPool& pool, http::Arena& arena,
                http1::Underscore underscore)
      : stream_(stream), with_head_(with_head), bulk_(pool), trailers_(arena), underscore_(underscore) {}

  void start(http::ContentLength content);

  net::Offer offer(net::PieceKinds kinds) override;
  void consumed(uint64_t octets) override;
  void ran_dry() override { stream_.watched().exhausted(); }
  void ended_while_spliced() override { splice_ended_ = true; }
  async::WaitReady more(Deadline deadline) override { return stream_.readable(deadline); }
  bool all_here() const override {
    return complete_ || (content_.kind == Kind::kKnown && unread() + stream_.arrived() >= left_);
  }
  const http::Fields* trailers() const override { return trailers_.empty() ? nullptr : &trailers_; }

  bool complete() const { return complete_; }
  // What came behind the content, to begin the next message with.
  Input& rest() { return bulk_.empty() ? with_head_ : bulk_; }
  bool has_rest() const { return !bulk_.empty() || !with_head_.empty(); }
  http::Refusal refusal() const { return refusal_; }
  // From the octet on that was wrong, after a refusal.
  std::string_view fault_octets() { return current().unread(); }
  uint64_t received() const { return received_; }

 private:
  using Kind = http::ContentLength::Kind;

  Input& current() { return with_head_.empty() ? bulk_ : with_head_; }
  uint64_t unread() const { return with_head_.unread().size() + bulk_.unread().size(); }
  net::Offer offer_plain(net::PieceKinds kinds);
  net::Offer offer_chunked();
  net::Offer offer_gathered();
  void gather(std::string_view data);
  net::Offer read_bulk();
  net::Offer ended(net::Moved::State state);
  bool may_splice(net::PieceKinds kinds) const;

  net::Stream& stream_;
  Input& with_head_;
  Input bulk_;
  http::Fields trailers_;
  http1::Underscore underscore_;   // in names of trailers
  std::optional<http1::ChunkedDecoder> chunks_;
  std::string_view gathered_;   // of short chunks, in the current input, before what is unread
  http::ContentLength content_;
  uint64_t left_ = 0;   // for kKnown
  uint64_t received_ = 0;
  int full_reads_ = 0;
  bool splice_ended_ = false;   // the next look reads, to learn how it ended
  bool complete_ = true;
  http::Refusal refusal_ = http::Refusal::kNone;
};

}   // namespace proxyd::message
