#pragma once

#include <memory>
#include <optional>

#include "shared/cache/fill.h"
#include "worker/async/task_group.h"
#include "worker/proxy/relay_content.h"
#include "worker/proxy/rest_content.h"
#include "worker/proxy/stored_content.h"
#include "worker/upstream/incoming.h"

namespace proxyd::proxy {

class FilledContent;

// The fetch of one response into the cache, as fast as the origin sends it, for whoever reads it there. A task of the
// worker's, which outlives the request that began it. Its own client is a reader like any other; but when the cache
// takes no more (no room, or more content than a policy allows), that reader goes on with the connection.
class Fill final : public net::ContentSink {
 public:
  struct Limits {
    RelayLimits relay;            // of the origin
    uint64_t most = UINT64_MAX;   // octets of content that may be stored
    int64_t pass_for = 0;         // ms that requests shall not queue for it once it was too large
  };

  // `skip`: octets at the beginning of what comes that are stored already.
  Fill(SharedCache& shared, cache::Filler filler, upstream::Incoming incoming, const Limits& limits, uint64_t skip);
  Fill(const Fill&) = delete;
  Fill& operator=(const Fill&) = delete;
  ~Fill() override;

  // Starts it; what has arrived already is stored when this returns. `reader`: of the request that began it, if there
  // is one.
  static void start(async::TaskGroup& tasks, std::unique_ptr<Fill> fill, FilledContent* reader);

  net::PieceKinds accepts() const override { return net::PieceKinds::kBytes; }
  net::Taken take(const net::Piece& piece, bool last) override;
  net::Taken finish(const http::Fields* trailers) override;
  net::Taken flush() override { return {net::Taken::State::kMore}; }
  bool finished() const override { return finished_; }
  uint64_t delivered() const override { return stored_; }
  async::WaitReady room(Deadline deadline) override { return {shared_.loop(), nothing_, deadline}; }

 private:
  friend class FilledContent;
  static async::Task<void> run(std::unique_ptr<Fill> fill);
  void end(const Relayed& relayed);
  void stop_for_size();
  // Its client is gone; once that has let go of all it held, whether anyone else reads it is looked at.
  void reader_left();
  bool is_unwanted() const;
  struct Leaving : async::Wakeup {
    explicit Leaving(Fill& owner)
        : Wakeup([](Wakeup& self) {
            Fill& fill = static_cast<Leaving&>(self).fill;
            if (fill.is_unwanted()) fill.tasks_->cancel(fill.place_);
          }),
          fill(owner) {}
    Fill& fill;
  };

  SharedCache& shared_;
  cache::Filler filler_;
  upstream::Incoming incoming_;
  Limits limits_;
  uint64_t skip_;
  uint64_t stored_ = 0;
  bool full_ = false;
  bool finished_ = false;
  async::Signal nothing_;
  FilledContent* reader_ = nullptr;
  Leaving leaving_{*this};
  async::TaskGroup* tasks_ = nullptr;
  async::TaskGroup::Place place_;
};

// What is being filled, for the client whose request began it: the stored content, and behind what the cache took the
// rest from the origin itself. Owned by the request's path. Leaving it early leaves the fill to itself.
class FilledContent final : public net::ContentSource {
 public:
  FilledContent(SharedCache& shared, cache::StoredResponse response, uint64_t begin, std::optional<uint64_t> end,
                StoredContent::Heir& heir)
      : stored_(shared, std::move(response), begin, end, heir), end_(end) {}
  ~FilledContent() override {
    if (!fill_) return;
    if (end_ && stored_.position() >= *end_) {
      fill_->reader_ = nullptr;   // it has all that it wanted
    } else {
      fill_->reader_left();
    }
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
