#pragma once

#include <optional>

#include "worker/proxy/stored/fill.h"
#include "worker/proxy/stored/rest_content.h"
#include "worker/proxy/stored/stored_content.h"

namespace proxyd::proxy {

// What is being filled, for the client whose request began it: the stored content, and behind what the cache took the
// rest from the origin itself. Owned by the request's path. Leaving it early leaves the fill to itself.
class FilledContent final : public net::ContentSource {
 public:
  FilledContent(SharedCache& shared, cache::StoredResponse response, uint64_t begin, std::optional<uint64_t> end,
                StoredContent::Heir& heir)
      : stored_(shared, std::move(response), begin, end, heir), end_(end) {}
  ~FilledContent() override {
    if (!fill_) return;
    const bool has_all = end_ && stored_.position() >= *end_;
    fill_->reader_left(has_all);
  }

  net::Offer offer(net::PieceKinds kinds) override;
  void consumed(uint64_t octets) override;
  void ran_dry() override {}
  void ended_while_spliced() override {}
  async::WaitReady more(Deadline deadline) override;
  bool all_here() const override { return !rest_ && stored_.all_here(); }
  const http::Fields* trailers() const override { return nullptr; }

 private:
  friend class Fill;
  void go_on_with(upstream::Incoming rest, uint64_t at);
  bool beyond_stored() const { return rest_ && stored_.position() >= rest_at_; }

  StoredContent stored_;
  std::optional<uint64_t> end_;
  Fill* fill_ = nullptr;
  std::optional<RestContent> rest_;
  uint64_t rest_at_ = 0;   // where it begins
};

}   // namespace proxyd::proxy
