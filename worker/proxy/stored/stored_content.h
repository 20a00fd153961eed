#pragma once

#include <array>
#include <optional>
#include <span>

#include "shared/cache/stored_response.h"
#include "worker/net/content.h"
#include "worker/proxy/stored/followers.h"
#include "worker/proxy/stored/shared_cache.h"

namespace proxyd::proxy {

// The content of a stored response, or a range of it, straight out of the region. What is still being fetched, here or
// by another worker, comes as it arrives. Owned by the one who answers; holds a pin of its own. Nothing suspends but
// `more`. Fails when the fetch broke off; where its worker died, whoever sees it first has it taken over.
class StoredContent final : public net::ContentSource {
 public:
  // Who fetches what a dead worker was fetching: called once it has the right to.
  class Heir {
   public:
    virtual ~Heir() = default;
    virtual void take_over(cache::Filler filler) = 0;
  };

  // From `begin` up to `end`, or to the end of the content. `heir` outlives this.
  StoredContent(SharedCache& shared, cache::StoredResponse response, uint64_t begin, std::optional<uint64_t> end,
                Heir& heir);

  net::Offer offer(net::PieceKinds kinds) override;
  void consumed(uint64_t octets) override { at_ += octets; }
  void ran_dry() override {}
  void ended_while_spliced() override {}
  async::WaitReady more(Deadline deadline) override;
  bool all_here() const override;
  const http::Fields* trailers() const override { return nullptr; }

  uint64_t position() const { return at_; }
  void let_head_go() { response_.let_head_go(); }

 private:
  std::optional<uint64_t> end() const;
  net::Offer offer_nothing(const cache::Progress& progress);
  net::Offer offer_many(std::optional<uint64_t> end);

  SharedCache& shared_;
  cache::StoredResponse response_;
  uint64_t at_;
  std::optional<uint64_t> end_;
  Heir& heir_;
  Follower follower_;
  std::optional<std::array<std::string_view, net::kMostRanges>> many_;   // of the last offer
};

}   // namespace proxyd::proxy
