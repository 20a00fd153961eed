#include "worker/proxy/stored/ranges_content.h"

namespace proxyd::proxy {

using Offered = net::Offer::State;

void RangesContent::begin_part() {
  const auto ranges = selection_.ranges();
  if (next_ == ranges.size()) {
    text_ = parts_.end(arena_);
    part_.reset();
    ended_ = true;
    return;
  }
  const http::ByteRange& range = ranges[next_];
  text_ = parts_.head(range, next_ == 0, arena_);
  part_.emplace(shared_, response_.share(), range.first, range.last + 1, heir_);
  ++next_;
}

net::Offer RangesContent::offer(net::PieceKinds kinds) {
  for (;;) {
    if (!text_.empty()) return {.state = Offered::kPiece, .piece = net::Piece::bytes(text_), .last = ended_};
    if (ended_) return {.state = Offered::kEnd};
    net::Offer offer = part_->offer(kinds);
    offer.last = false;
    if (offer.state != Offered::kEnd) return offer;
    begin_part();
  }
}

void RangesContent::consumed(uint64_t octets) {
  if (text_.empty()) return part_->consumed(octets);
  text_.remove_prefix(octets);
}

void RangesContent::let_head_go() {
  response_.let_head_go();
  if (part_) part_->let_head_go();
}

async::WaitReady RangesContent::more(Deadline deadline) { return part_->more(deadline); }

}   // namespace proxyd::proxy
