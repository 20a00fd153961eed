#pragma once

#include <optional>
#include <string_view>

#include "worker/http/range.h"
#include "worker/proxy/stored/stored_content.h"

namespace proxyd::proxy {

// Several ranges of a stored response as one multipart/byteranges content (RFC 9110 14.6). Owned by the one who
// answers; what it is made of lives as long. Nothing suspends but `more`.
class RangesContent final : public net::ContentSource {
 public:
  RangesContent(SharedCache& shared, const cache::StoredResponse& response, const http::RangeSelection& selection,
                const http::MultipartRanges& parts, http::Arena& arena, StoredContent::Heir& heir)
      : shared_(shared), response_(response.share()), selection_(selection), parts_(parts), arena_(arena), heir_(heir) {
    begin_part();
  }

  net::Offer offer(net::PieceKinds kinds) override;
  void consumed(uint64_t octets) override;
  void ran_dry() override {}
  void ended_while_spliced() override {}
  async::WaitReady more(Deadline deadline) override;
  bool all_here() const override { return ended_ || (part_ && part_->all_here()); }
  const http::Fields* trailers() const override { return nullptr; }

  void let_head_go();

 private:
  void begin_part();

  SharedCache& shared_;
  cache::StoredResponse response_;
  http::RangeSelection selection_;
  http::MultipartRanges parts_;
  http::Arena& arena_;
  StoredContent::Heir& heir_;
  size_t next_ = 0;         // of the ranges
  std::string_view text_;   // a part's head, or the end, as far as it has not been taken
  std::optional<StoredContent> part_;
  bool ended_ = false;
};

}   // namespace proxyd::proxy
