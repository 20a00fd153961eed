#pragma once

#include <memory>

#include "shared/cache/fill.h"
#include "worker/async/task_group.h"
#include "worker/proxy/relay/relay_content.h"
#include "worker/proxy/stored/shared_cache.h"
#include "worker/upstream/incoming.h"

namespace proxyd::proxy {

class FilledContent;

// The fetch of one response into the cache, as fast as the origin sends it, for whoever reads it there. A task of the
// worker's, which outlives the request that began it. Its own client is a reader like any other; but when the cache
// takes no more (no room, or more content than a policy allows), that reader goes on with the connection. A lock of the
// cache that is busy for long, as where its holder is stopped, is waited for between passes, a quarter of a second.
class Fill final : public net::ContentSink {
 public:
  struct Limits {
    RelayLimits relay;            // of the origin
    uint64_t most = UINT64_MAX;   // octets of content that may be stored
    int64_t pass_for = 0;         // ms that requests shall not queue for it once it was too large
    AloneFills kind = AloneFills::kWhole;
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
  async::WaitReady room(Deadline deadline) override {
    return {shared_.loop(), nothing_, deadline.earlier_of(Deadline::after(shared_.loop().now(), kNextTry))};
  }

 private:
  friend class FilledContent;
  static constexpr milliseconds kNextTry{10};
  static constexpr int kMostTries = 25;
  static async::Task<void> run(std::unique_ptr<Fill> fill);
  void end(const Relayed& relayed);
  void stop_for_size();
  void go_on_alone();
  // Its client has all that it wanted, or is gone: then, once that has let go of all it held, whether anyone else reads
  // it is looked at.
  void reader_left(bool with_all);
  bool is_unwanted() const;
  void stop_if_unwanted();
  struct Leaving : async::Wakeup {
    explicit Leaving(Fill& owner)
        : Wakeup([](Wakeup& self) { static_cast<Leaving&>(self).fill.stop_if_unwanted(); }), fill(owner) {}
    Fill& fill;
  };

  SharedCache& shared_;
  cache::Filler filler_;
  upstream::Incoming incoming_;
  Limits limits_;
  uint64_t skip_;
  uint64_t stored_ = 0;
  int tries_ = 0;   // in a row, that a busy lock hindered
  bool full_ = false;
  bool finished_ = false;
  bool alone_ = false;   // and so counted
  async::Signal nothing_;
  FilledContent* reader_ = nullptr;
  Leaving leaving_{*this};
  async::TaskGroup* tasks_ = nullptr;
  async::TaskGroup::Place place_;
};

}   // namespace proxyd::proxy
