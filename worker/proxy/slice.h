#pragma once

#include <optional>

#include "worker/async/task.h"
#include "worker/caching/slices.h"
#include "worker/proxy/admission.h"
#include "worker/proxy/cache_visit.h"
#include "worker/proxy/fetch.h"
#include "worker/proxy/origin.h"
#include "worker/proxy/own_exchange.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// One slice of what a client asks for: a request of our own for that range, which the cache answers or the origin, for
// all who want the same. Owned by the client's request, which outlives it.
class Slice {
 public:
  // The policy has slices.
  Slice(Request& client, const caching::Policy& policy, const Origin& origin, uint64_t number);

  enum class Found : uint8_t {
    kYes,         // it is stored, or on its way into the cache
    kBehindEnd,   // the origin says that the content is shorter
    kNo,          // the origin has no slices
    kNotNow,      // what it says is nothing for the cache, or somebody is in the way, or there is no room
    kFailed,      // the origin said nothing, or may not be asked: `fail` answers so
  };
  // As far as nobody has to be asked.
  Found look();
  // Suspends.
  async::Task<Found> find();
  // Answers the client. Suspends.
  async::Task<void> fail();

  // Once it is found.
  CacheVisit& visit() { return visit_; }
  const Request& request() const { return request_; }
  const caching::Slice& what() const { return *what_; }
  const caching::Freshness& freshness() const { return visit_.freshness(); }

  // Asks the origin, on a condition, for what was served though it is stale (RFC 5861 3), unless somebody else does.
  // Suspends. False: there is no answer.
  async::Task<bool> validate();

 private:
  async::Task<Found> ask();
  Found read();

  Request& client_;
  const Origin& origin_;
  uint64_t number_;
  uint64_t size_;
  OwnExchange exchange_;
  Request request_;
  CacheVisit visit_;
  std::optional<Fetch> fetch_;
  Denial denial_;   // by a rate of what origins are asked for
  Fetch::Outcome fetched_ = Fetch::Outcome::kNoTarget;
  std::optional<caching::Slice> what_;
};

}   // namespace proxyd::proxy
