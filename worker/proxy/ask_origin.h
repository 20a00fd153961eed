#pragma once

#include <optional>

#include "worker/async/task.h"
#include "worker/caching/rest.h"
#include "worker/caching/revalidation.h"
#include "worker/proxy/cache_visit.h"
#include "worker/proxy/fetch.h"
#include "worker/proxy/origin.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// What a request of our own came to. `status`: of the origin's answer, 0 where there is none; `then` counts only with
// one.
struct OwnAnswer {
  Fetch::Outcome outcome = Fetch::Outcome::kNoTarget;
  int status = 0;
  CacheVisit::Then then = CacheVisit::Then::kRelay;
  // Nobody should ask again at once.
  bool failed() const { return outcome != Fetch::Outcome::kResponse || status >= 500; }
};

// Asks the origin for what the cache lacks, by a request of our own, and begins to fill what is to be stored. `fetch`
// is what the last try was by. Suspends until the answer's head is there.
async::Task<OwnAnswer> ask_origin(Request& request, CacheVisit& visit, const Origin& origin,
                                  std::optional<Fetch>& fetch);

// Asks the origin for the rest of what is had already, as the client asked but by no condition of the client's, and
// never for a guess: what is had must be known by a strong validator. Where in the content the answer that `fetch` then
// has begins; nothing when it is none. Suspends until the answer's head is there.
async::Task<std::optional<uint64_t>> ask_origin_for_rest(Request& request, const caching::Rest& rest,
                                                         caching::RangeMode range, Fetch& fetch);

}   // namespace proxyd::proxy
