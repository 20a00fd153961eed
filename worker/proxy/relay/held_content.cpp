#include "worker/proxy/relay/held_content.h"

#include <cstring>

namespace proxyd::proxy {
namespace {

constexpr size_t kMostHeld = 64 * 1024;

}   // namespace

net::Offer HeldContent::offer(net::PieceKinds kinds) {
  if (replaying()) {
    const std::string_view rest(copy_.data() + replayed_, kept_ - replayed_);
    return {.state = net::Offer::State::kPiece, .piece = net::Piece::bytes(rest)};
  }
  const net::Offer offer = source_.offer(holding_ ? net::PieceKinds::kBytes : kinds);
  offered_ = offer.piece.data;
  return offer;
}

void HeldContent::consumed(uint64_t octets) {
  if (replaying()) {
    replayed_ += octets;
    return;
  }
  if (holding_ && kept_ + octets > kMostHeld) {
    holding_ = false;
    copy_.release();
    kept_ = replayed_ = 0;
  }
  if (holding_ && octets > 0) {
    if (!copy_) copy_ = pool_.borrow(kMostHeld);
    std::memcpy(copy_.data() + kept_, offered_, octets);
    kept_ += octets;
    replayed_ = kept_;
  }
  passed_ += octets;
  source_.consumed(octets);
}

}   // namespace proxyd::proxy
