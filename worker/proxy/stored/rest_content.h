#pragma once

#include <cstdint>
#include <optional>

#include "worker/net/content.h"
#include "worker/upstream/incoming.h"

namespace proxyd::proxy {

// The later octets of a content, straight from the origin, for a client that has the earlier ones from the cache. What
// comes before `begin` is passed over, what comes behind `end` is left. Owned by the one who answers, with the
// connection. Nothing suspends but `more`.
class RestContent final : public net::ContentSource {
 public:
  // `at`: position in the content of what comes first; not behind `begin`.
  RestContent(upstream::Incoming incoming, uint64_t at, uint64_t begin, std::optional<uint64_t> end)
      : incoming_(std::move(incoming)), at_(at), begin_(begin), end_(end) {}

  net::Offer offer(net::PieceKinds kinds) override;
  void consumed(uint64_t octets) override;
  void ran_dry() override {}
  void ended_while_spliced() override {}
  async::WaitReady more(Deadline deadline) override { return source().more(deadline); }
  bool all_here() const override { return false; }
  const http::Fields* trailers() const override { return nullptr; }

 private:
  net::ContentSource& source() const { return incoming_.exchange->response_content(); }

  upstream::Incoming incoming_;
  uint64_t at_;
  uint64_t begin_;
  std::optional<uint64_t> end_;
};

}   // namespace proxyd::proxy
