#include "worker/proxy/stored/filled_content.h"

#include <algorithm>

namespace proxyd::proxy {

void FilledContent::go_on_with(upstream::Incoming rest, uint64_t at) {
  rest_.emplace(std::move(rest), at, std::max(at, stored_.position()), end_);
  rest_at_ = at;
}

net::Offer FilledContent::offer(net::PieceKinds kinds) {
  return beyond_stored() ? rest_->offer(kinds) : stored_.offer(kinds);
}

void FilledContent::consumed(uint64_t octets) {
  if (beyond_stored()) rest_->consumed(octets);
  stored_.consumed(octets);
}

async::WaitReady FilledContent::more(Deadline deadline) {
  return beyond_stored() ? rest_->more(deadline) : stored_.more(deadline);
}

}   // namespace proxyd::proxy
