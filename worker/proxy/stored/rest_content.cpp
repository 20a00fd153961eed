#include "worker/proxy/stored/rest_content.h"

#include <algorithm>

namespace proxyd::proxy {

using Offered = net::Offer::State;

net::Offer RestContent::offer(net::PieceKinds) {
  if (end_ && at_ >= *end_) return {.state = Offered::kEnd};
  for (;;) {
    net::Offer offer = source().offer(net::PieceKinds::kBytes);
    if (offer.state != Offered::kPiece) return offer;
    const uint64_t unwanted = std::min(begin_ - std::min(begin_, at_), offer.piece.size);
    if (unwanted == 0) {
      if (end_ && offer.piece.size > *end_ - at_) offer.piece.size = *end_ - at_;
      return offer;
    }
    consumed(unwanted);
  }
}

void RestContent::consumed(uint64_t octets) {
  source().consumed(octets);
  at_ += octets;
}

}   // namespace proxyd::proxy
