#include "worker/proxy/stored/stored_content.h"

#include <algorithm>
#include <array>

namespace proxyd::proxy {

using Offered = net::Offer::State;
using cache::State;

StoredContent::StoredContent(SharedCache& shared, cache::StoredResponse response, uint64_t begin,
                             std::optional<uint64_t> end, Heir& heir)
    : shared_(shared), response_(std::move(response)), at_(begin), end_(end), heir_(heir) {}

std::optional<uint64_t> StoredContent::end() const { return end_ ? end_ : response_.length(); }

bool StoredContent::all_here() const {
  const std::optional<uint64_t> end = this->end();
  return end && response_.filled() >= *end;
}

// What was seen before the content was looked at holds for it: it may have grown since, but not shrunk.
net::Offer StoredContent::offer_nothing(const cache::Progress& progress) {
  if (progress.state == State::complete)
    return {.state = at_ >= response_.filled() && !end_ ? Offered::kEnd : Offered::kFailed,
            .fault = net::ContentFault::kClosed};
  if (progress.state == State::aborted) return {.state = Offered::kFailed, .fault = net::ContentFault::kClosed};
  if (progress.orphaned) {
    if (cache::Filler filler = shared_.cache().take_over(response_)) heir_.take_over(std::move(filler));
  }
  return {.state = Offered::kPending};
}

net::Offer StoredContent::offer(net::PieceKinds) {
  const std::optional<uint64_t> end = this->end();
  if (end && at_ >= *end) return {.state = Offered::kEnd};
  std::array<std::string_view, 1> range;
  if (response_.content(at_, range) == 0) {
    const cache::Progress progress = response_.progress();
    if (response_.content(at_, range) == 0) return offer_nothing(progress);
  }
  if (!end || range[0].size() < *end - at_) return offer_many(end);
  const uint64_t size = *end - at_;
  return {
      .state = Offered::kPiece, .piece = {net::PieceKinds::kStored, range[0].data(), nullptr, size, {}}, .last = true};
}

// Extents that follow leave with the first: one system call for all costs less than one for each.
net::Offer StoredContent::offer_many(std::optional<uint64_t> end) {
  if (!many_) many_.emplace();
  size_t count = response_.content(at_, *many_);
  uint64_t reached = at_;
  for (size_t i = 0; i < count; ++i) {
    std::string_view& range = (*many_)[i];
    if (end && range.size() >= *end - reached) {
      range = range.substr(0, *end - reached);
      count = i + 1;
    }
    reached += range.size();
  }
  const std::string_view first = (*many_)[0];
  return {.state = Offered::kPiece,
          .piece = {net::PieceKinds::kStored, first.data(), nullptr, first.size(),
                    std::span(*many_).first(count).subspan(1)},
          .last = end && reached == *end};
}

async::WaitReady StoredContent::more(Deadline deadline) {
  follower_.news().set(false);
  if (!follower_.follows()) shared_.followers().add(follower_, response_.wait_number());
  const cache::Progress progress = response_.arm();
  const bool ended = progress.state == State::complete || progress.state == State::aborted;
  if (ended || progress.orphaned || progress.filled > at_) follower_.news().set(true);
  return {shared_.loop(), follower_.news(), deadline};
}

}   // namespace proxyd::proxy
