#include "worker/caching/reason.h"

#include "shared/metrics/cache_words.h"

namespace proxyd::caching {

static_assert(metrics::kCacheReasons.size() == kReasonCount);

std::string_view to_string(Reason reason) { return metrics::kCacheReasons[static_cast<size_t>(reason)]; }

}   // namespace proxyd::caching
