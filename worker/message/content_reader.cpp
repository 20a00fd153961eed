#include "worker/message/content_reader.h"

#include <algorithm>
#include <cstring>

namespace proxyd::message {
namespace {

using net::ContentFault;
using net::Offer;
using net::Piece;
using net::PieceKinds;

constexpr size_t kBulk = 64 * 1024;
constexpr uint64_t kLeastSplice = 64 * 1024;
constexpr uint64_t kMostSplice = 1024 * 1024;   // a turn, so that others get theirs
constexpr int kFullReadsBeforeSplice = 2;
constexpr size_t kShortChunk = 8 * 1024;   // moving it costs less than a call of its own would

}   // namespace

void ContentReader::start(http::ContentLength content) {
  content_ = content;
  left_ = content.bytes;
  received_ = 0;
  full_reads_ = 0;
  splice_ended_ = false;
  complete_ = content.is_empty();
  refusal_ = http::Refusal::kNone;
  trailers_.clear();
  chunks_.reset();
  gathered_ = {};
  if (content.kind == Kind::kUnknown) chunks_.emplace(trailers_, underscore_);
}

bool ContentReader::may_splice(PieceKinds kinds) const {
  if (splice_ended_ || !net::holds(kinds, PieceKinds::kSocket) || stream_.spliceable_descriptor() < 0) return false;
  if (content_.kind == Kind::kKnown) return left_ >= kLeastSplice;
  return content_.kind != Kind::kUnknown && full_reads_ >= kFullReadsBeforeSplice;
}

// The stream has ended: that is the end of content that goes until close, and a cut for all other.
Offer ContentReader::ended(net::Moved::State state) {
  const bool clean = state == net::Moved::State::kEnd;
  if (clean && (content_.kind == Kind::kUntilClose || content_.kind == Kind::kTunnel)) {
    complete_ = true;
    return {.state = Offer::State::kEnd};
  }
  return {.state = Offer::State::kFailed, .fault = clean ? ContentFault::kClosed : ContentFault::kReset};
}

// One read into the bulk buffer; kPiece stands for "there is something now".
Offer ContentReader::read_bulk() {
  bulk_.release();
  const net::Moved moved = bulk_.read(stream_, kBulk);
  if (moved.state == net::Moved::State::kSome) {
    full_reads_ = moved.octets == kBulk ? full_reads_ + 1 : 0;
    return {.state = Offer::State::kPiece};
  }
  bulk_.release();
  if (moved.state == net::Moved::State::kWouldBlock) return {};
  return ended(moved.state);
}

Offer ContentReader::offer_plain(PieceKinds kinds) {
  if (current().empty()) {
    if (may_splice(kinds)) {
      bulk_.release();
      if (!stream_.watched().readable()) return {};
      const uint64_t due = content_.kind == Kind::kKnown ? left_ : kMostSplice;
      return {.state = Offer::State::kPiece, .piece = Piece::waiting_in(stream_, std::min(due, kMostSplice))};
    }
    const Offer read = read_bulk();
    if (read.state != Offer::State::kPiece) return read;
  }
  std::string_view octets = current().unread();
  if (content_.kind == Kind::kKnown && octets.size() > left_) octets = octets.substr(0, left_);
  const bool last = content_.kind == Kind::kKnown && octets.size() == left_;
  return {.state = Offer::State::kPiece, .piece = Piece::bytes(octets), .last = last};
}

// Short chunks that are here are moved together over their framing, from `data` on, which is the first one's.
void ContentReader::gather(std::string_view data) {
  Input& input = current();
  char* const first = input.front();
  size_t size = 0;
  while (!data.empty() && data.size() < kShortChunk) {
    std::memmove(first + size, data.data(), data.size());
    size += data.size();
    chunks_->take_data(data.size());
    input.consume(data.size());
    const http1::ChunkedDecoder::Step step = chunks_->next(input.unread());   // what it says now it says again
    input.consume(step.consumed);
    data = step.data;
  }
  gathered_ = {first, size};
}

Offer ContentReader::offer_gathered() {
  const bool ended = chunks_->ended() && trailers_.empty();
  return {.state = Offer::State::kPiece, .piece = Piece::bytes(gathered_), .last = ended};
}

Offer ContentReader::offer_chunked() {
  if (!gathered_.empty()) return offer_gathered();
  for (;;) {
    Input& input = current();
    const http1::ChunkedDecoder::Step step = chunks_->next(input.unread());
    input.consume(step.consumed);
    switch (step.state) {
      case http1::ChunkedDecoder::State::kData:
        if (step.data.size() < kShortChunk) {
          gather(step.data);
          return offer_gathered();
        }
        return {.state = Offer::State::kPiece, .piece = Piece::bytes(step.data)};
      case http1::ChunkedDecoder::State::kEnd: complete_ = true; return {.state = Offer::State::kEnd};
      case http1::ChunkedDecoder::State::kRefused:
        refusal_ = chunks_->refusal();
        return {.state = Offer::State::kFailed, .fault = ContentFault::kMalformed};
      case http1::ChunkedDecoder::State::kNeedMore: break;
    }
    const Offer read = read_bulk();
    if (read.state != Offer::State::kPiece) return read;
  }
}

Offer ContentReader::offer(PieceKinds kinds) {
  if (complete_) return {.state = Offer::State::kEnd};
  if (content_.kind == Kind::kUnknown) return offer_chunked();
  return offer_plain(kinds);
}

void ContentReader::consumed(uint64_t octets) {
  received_ += octets;
  if (!gathered_.empty()) {
    gathered_.remove_prefix(octets);
    complete_ = gathered_.empty() && chunks_->ended() && trailers_.empty();
    return;
  }
  if (chunks_) chunks_->take_data(octets);
  if (content_.kind == Kind::kKnown) {
    left_ -= octets;
    complete_ = left_ == 0;
  }
  // Spliced octets never were in a buffer.
  Input& input = current();
  if (!input.empty()) input.consume(octets);
}

}   // namespace proxyd::message
