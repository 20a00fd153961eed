#pragma once

#include "worker/net/buffer_pool.h"
#include "worker/net/content.h"

namespace proxyd::proxy {

// A request's content, of which the first 64 KiB are kept while they pass, so that a request that failed can be sent
// again from its beginning. Once more has passed, nothing is kept and nothing can be repeated.
// Owned by the one who forwards; the source behind it outlives it.
class HeldContent final : public net::ContentSource {
 public:
  HeldContent(net::ContentSource& source, net::BufferPool& pool, bool hold)
      : source_(source), pool_(pool), holding_(hold) {}

  net::Offer offer(net::PieceKinds kinds) override;
  void consumed(uint64_t octets) override;
  void ran_dry() override { source_.ran_dry(); }
  void ended_while_spliced() override { source_.ended_while_spliced(); }
  async::WaitReady more(Deadline deadline) override { return source_.more(deadline); }
  bool all_here() const override { return source_.all_here(); }
  const http::Fields* trailers() const override { return source_.trailers(); }

  // Nothing of it has been lost.
  bool can_rewind() const { return holding_ || passed_ == 0; }
  void rewind() { replayed_ = 0; }

 private:
  bool replaying() const { return replayed_ < kept_; }

  net::ContentSource& source_;
  net::BufferPool& pool_;
  net::Buffer copy_;
  size_t kept_ = 0;
  size_t replayed_ = 0;
  uint64_t passed_ = 0;
  const char* offered_ = nullptr;
  bool holding_;
};

}   // namespace proxyd::proxy
