#pragma once

#include "worker/net/content.h"
#include "worker/proxy/intermediary_fields.h"

namespace proxyd::proxy {

// Content with the trailers that may pass on, in place of those that came. Owned by the one who forwards; the source
// behind it and the arena outlive it. Nothing suspends but `more`.
class FilteredContent final : public net::ContentSource {
 public:
  FilteredContent(net::ContentSource& source, http::Arena& arena) : source_(source), arena_(arena), trailers_(arena) {}

  net::Offer offer(net::PieceKinds kinds) override { return source_.offer(kinds); }
  void consumed(uint64_t octets) override { source_.consumed(octets); }
  void ran_dry() override { source_.ran_dry(); }
  void ended_while_spliced() override { source_.ended_while_spliced(); }
  async::WaitReady more(Deadline deadline) override { return source_.more(deadline); }
  bool all_here() const override { return source_.all_here(); }
  const http::Fields* trailers() const override {
    if (!source_.trailers()) return nullptr;
    trailers_ = make_trailers(*source_.trailers(), arena_);
    return trailers_.empty() ? nullptr : &trailers_;
  }

 private:
  net::ContentSource& source_;
  http::Arena& arena_;
  mutable http::Fields trailers_;
};

}   // namespace proxyd::proxy
