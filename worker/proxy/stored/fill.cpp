#include "worker/proxy/stored/fill.h"

#include <algorithm>

#include "worker/proxy/stored/filled_content.h"

namespace proxyd::proxy {
namespace {

using Took = net::Taken::State;

}   // namespace

Fill::Fill(SharedCache& shared, cache::Filler filler, upstream::Incoming incoming, const Limits& limits, uint64_t skip)
    : shared_(shared), filler_(std::move(filler)), incoming_(std::move(incoming)), limits_(limits), skip_(skip) {
  limits_.relay.cut = &incoming_.exchange->when_cut();
  stored_ = filler_.response().filled();
  if (limits_.most < UINT64_MAX - skip_) limits_.relay.most = limits_.most - std::min(limits_.most, stored_) + skip_;
}

Fill::~Fill() {
  if (reader_) reader_->fill_ = nullptr;
  if (alone_) --shared_.alone(limits_.kind);
}

void Fill::start(async::TaskGroup& tasks, std::unique_ptr<Fill> fill, FilledContent* reader) {
  Fill* const started = fill.get();
  started->reader_ = reader;
  if (reader) reader->fill_ = started;
  if (!reader) started->go_on_alone();
  async::Task<void> task = run(std::move(fill));
  if (task.done()) return;
  started->tasks_ = &tasks;
  started->place_ = tasks.add(std::move(task));
}

async::Task<void> Fill::run(std::unique_ptr<Fill> fill) {
  Relay relay(fill->shared_.loop(), fill->incoming_.exchange->response_content(), *fill, fill->limits_.relay);
  const bool ended = relay.go_on();
  Relayed relayed = relay.relayed();
  if (!ended) relayed = co_await relay_content(relay);
  fill->end(relayed);
}

net::Taken Fill::take(const net::Piece& piece, bool) {
  const uint64_t skipped = std::min(skip_, piece.size);
  skip_ -= skipped;
  const std::string_view octets(piece.data + skipped, piece.size - skipped);
  const size_t taken = filler_.append(octets);
  stored_ += taken;
  tries_ = taken == 0 ? tries_ : 0;
  const bool is_short = taken < octets.size();
  if (is_short && filler_.hindered() && ++tries_ < kMostTries) return {Took::kBlocked, skipped + taken};
  full_ = is_short;
  return {full_ ? Took::kFailed : Took::kMore, skipped + taken};
}

net::Taken Fill::finish(const http::Fields*) {
  finished_ = true;
  return {filler_.complete() ? Took::kMore : Took::kFailed};
}

void Fill::end(const Relayed& relayed) {
  const bool malformed = relayed.fault == net::ContentFault::kMalformed;
  if (relayed.end == Relayed::End::kSourceFailed)
    incoming_.in_flight.failed(malformed ? status::Finding::kMalformed : status::Finding::kBrokeOff);
  if (relayed.end == Relayed::End::kSourceTimeout) incoming_.in_flight.failed(status::Finding::kNoAnswer);
  if (!filler_) return;   // complete; or not as long as it was said to be, which has ended it
  const bool too_large = relayed.end == Relayed::End::kTooMuch;
  if (too_large || full_) {
    if (reader_) reader_->go_on_with(std::move(incoming_), stored_);
    if (too_large) return stop_for_size();
  }
  filler_.abort();
}

// Its length was not known before: the next ones shall not wait for it in vain.
void Fill::stop_for_size() {
  const std::string key(filler_.response().key());
  const uint64_t sequence = filler_.sequence();
  filler_.abort();
  cache::FillLock lock = shared_.cache().begin_fill(key, sequence, shared_.now());
  if (lock.outcome == cache::FillLock::Outcome::filler)
    lock.filler.not_cacheable(shared_.now() + limits_.pass_for, cache::Kind::too_large);
}

void Fill::go_on_alone() {
  alone_ = true;
  ++shared_.alone(limits_.kind);
}

void Fill::reader_left(bool with_all) {
  reader_ = nullptr;
  go_on_alone();
  if (!with_all) shared_.loop().ready().push(leaving_);
}

// It goes on when others read it, or when more than half of it is here.
bool Fill::is_unwanted() const {
  if (!filler_) return false;   // it has ended
  const std::optional<uint64_t> length = filler_.response().length();
  const bool nearly_here = length && stored_ > *length / 2;
  return !nearly_here && !shared_.cache().has_other_readers(filler_.response());
}

// Out of the index first, where nobody finds it any more: who has found it meanwhile is seen at the second look.
void Fill::stop_if_unwanted() {
  if (!is_unwanted()) return;
  (void)shared_.cache().withdraw(filler_.response());
  if (is_unwanted()) tasks_->cancel(place_);
}

}   // namespace proxyd::proxy
