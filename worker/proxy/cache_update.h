#pragma once

#include <cstdint>
#include <optional>

#include "shared/cache/subjects.h"
#include "worker/caching/revalidation.h"
#include "worker/caching/storing.h"
#include "worker/caching/tags.h"
#include "worker/proxy/holding.h"
#include "worker/proxy/variant_list.h"

namespace proxyd::proxy {

// How the origin is asked in a request's place, and what its answer does to the cache: it validates what is stored (RFC
// 9111 4.3), replaces it (3), or is none of its business, which is remembered for a while so that nobody queues for it.
// Owned by the visit, beside what was found. Nothing suspends. What can't be stored goes by, and the reason is kept.
class CacheUpdate {
 public:
  explicit CacheUpdate(Holding& held) : held_(held) {}

  // The fields that the origin is asked with from here on; null: the client's own.
  const http::Fields* begin_asking();

  // The origin's answer to a request whose content is still on its way could be stored once that has ended.
  bool would_store(const http::ResponseHead& response, caching::Moment sent) const;

  // What the origin's answer comes to.
  enum class Then : uint8_t {
    kRelay,      // the client gets it as it comes; nothing is stored
    kServe,      // what is stored: validated, or now to be filled, or stale in place of an error
    kAskAgain,   // it spoke of something else
  };
  // Its fields are as the client is to see them.
  Then take(http::ResponseHead& response, caching::Moment sent);

  // Fields to be sent in place of the stored ones; null: those.
  const http::Fields* fields() const { return fields_ ? &*fields_ : nullptr; }

 private:
  using Reason = caching::Reason;

  void collect_tags(http::ResponseHead& response);
  Then take_answer(const caching::Answer& answer);
  Then take_head(const caching::Answer& answer);
  Then take_not_modified(const caching::Answer& answer);
  Then take_no_slice(const caching::Answer& answer);
  Then take_rest(const caching::Answer& answer);
  Then take_whole(const caching::Answer& answer);
  Then take_unstorable(const caching::Answer& answer, Reason reason);
  Then store(const caching::Answer& answer, const caching::Storing& storing);
  Reason lock_place(const caching::Storing& storing);
  cache::Written write_head(const caching::Answer& answer, const http::Fields& fields,
                            const caching::Freshness& freshness);
  Then go_by(const caching::Answer& answer, Reason reason, int64_t pass_for);
  void withdraw_if_newest();
  bool keep(const caching::Freshened& freshened, caching::Moment received);
  bool is_the_slice(const http::ResponseHead& response) const;
  bool may_drop() const;
  bool are_too_many_alone() const;
  cache::StampList stamps() const;
  cache::StampList stamps_with_former() const;
  VariantList variants(int64_t keep_until) const;

  Holding& held_;
  std::optional<http::Fields> origin_fields_;
  std::optional<http::Fields> fields_;
  caching::TagList tags_;         // of the origin's answer
  bool asked_for_more_ = false;   // for all, though the client wants a part
  bool asked_again_ = false;      // since a part came that nobody asked for
  bool unconditional_ = false;    // since a 304 spoke of something else
};

}   // namespace proxyd::proxy
