#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "worker/async/task.h"
#include "worker/net/content.h"
#include "worker/proxy/slice.h"
#include "worker/proxy/stored/stored_content.h"

namespace proxyd::proxy {

// A content that is stored in slices, as one: found slice by slice, the next one while one is sent, all under the
// strong validator of the first (RFC 9110 15.3.7.3). Owned by the request's path. Fails where a slice can't be had or
// is of another content by now; then the one that was opened is dropped, so that who comes next begins anew. `open`
// suspends, and `more`.
class Slices final : public net::ContentSource {
 public:
  Slices(Request& request, const caching::Policy& policy, const Origin& origin)
      : request_(request), policy_(policy), origin_(origin) {}

  // Finds the slice that holds this octet, or the first one where it lies behind the end. kNo: this content is not to
  // be had in slices. For HEAD what is stored will do, or nothing.
  async::Task<Slice::Found> open(uint64_t octet);
  Slice& opened() { return *slices_[given_]; }
  uint64_t number() const { return number_; }   // of the slice that was opened, or is given
  const caching::Slice& whole() const { return whole_; }

  // What will be given, from `begin` up to `end`. Once.
  net::ContentSource& give(uint64_t begin, uint64_t end);
  void let_head_go();
  uint64_t position() const { return at_; }
  uint64_t end() const { return end_; }

  net::Offer offer(net::PieceKinds kinds) override;
  void consumed(uint64_t octets) override;
  void ran_dry() override {}
  void ended_while_spliced() override {}
  async::WaitReady more(Deadline deadline) override;
  bool all_here() const override { return at_ >= end_ || (content_ && is_last() && content_->all_here()); }
  const http::Fields* trailers() const override { return nullptr; }

 private:
  enum class Others : uint8_t { kFit, kNewer, kMissing };

  async::Task<Slice::Found> find_first(uint64_t number);
  cache::Lookup find_stored(std::string_view key) const;
  bool is_known_to_end_before(uint64_t octet) const;
  Others look_at_others() const;
  void drop_opened();
  async::Task<void> find_next(uint64_t number);
  bool is_last() const { return (number_ + 1) * policy_.slice >= end_; }
  bool next_is_here();
  void begin_slice();
  cache::Cache& cache() const { return request_.proxy.shared_cache().cache(); }

  Request& request_;
  const caching::Policy& policy_;
  const Origin& origin_;
  std::array<std::optional<Slice>, 2> slices_;   // the one that is given, and the next
  size_t given_ = 0;                             // which of them is the former
  uint64_t number_ = 0;                          // of the former
  caching::Slice whole_;                         // what the slice that was opened says of the content
  std::string_view opened_key_;
  uint64_t opened_number_ = 0;
  int64_t opened_asked_at_ = 0;
  uint64_t at_ = 0;
  uint64_t end_ = 0;
  std::optional<StoredContent> content_;   // of the slice that is given
  async::Signal news_;                     // of the next
  uint64_t next_number_ = 0;
  bool next_found_ = false;
  async::Task<void> finding_;   // the next; it uses all of the above
};

}   // namespace proxyd::proxy
