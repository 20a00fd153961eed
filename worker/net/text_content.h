#pragma once

#include <string_view>

#include "worker/net/content.h"

namespace proxyd::net {

// Content that lies in memory as a whole: an answer of our own. The text outlives it. Nothing suspends, for there is
// nothing to wait for.
class TextContent final : public ContentSource {
 public:
  TextContent(async::EventLoop& loop, std::string_view text) : loop_(loop), left_(text) {}

  Offer offer(PieceKinds) override {
    if (left_.empty()) return {.state = Offer::State::kEnd};
    return {.state = Offer::State::kPiece, .piece = Piece::bytes(left_), .last = true};
  }
  void consumed(uint64_t octets) override { left_.remove_prefix(octets); }
  void ran_dry() override {}
  void ended_while_spliced() override {}
  async::WaitReady more(Deadline deadline) override { return {loop_, nothing_, deadline}; }
  bool all_here() const override { return true; }
  const http::Fields* trailers() const override { return nullptr; }

 private:
  async::EventLoop& loop_;
  async::Signal nothing_;
  std::string_view left_;
};

}   // namespace proxyd::net
