#pragma once

#include "shared/cache/cache.h"
#include "worker/async/task.h"
#include "worker/caching/policy.h"
#include "worker/proxy/origin.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// Something is stored of the whole, or the list of what it varies by: that goes before slices.
bool is_stored_whole(cache::Cache& cache, std::string_view primary_key, int64_t now);

// What came of it. But for kAnswered nothing was sent, and the request goes on.
enum class InSlices : uint8_t {
  kAnswered,
  kWhole,     // it is not to be had in slices: by its policy, as if that had none
  kAsAsked,   // no slice can be fetched just then: the client's own Range goes to the origin, by `of_each_slice`
};

// Answers a request for a content that its policy stores in slices. Suspends.
async::Task<InSlices> answer_in_slices(Request& request, const caching::Policy& policy, const Origin& origin);

}   // namespace proxyd::proxy
