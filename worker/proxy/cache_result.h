#pragma once

#include <cstdint>
#include <string_view>

#include "shared/metrics/cache_words.h"

namespace proxyd::proxy {

// What the cache was for a request, in the order of metrics::kCacheResults.
enum class CacheResult : uint8_t { kNone, kHit, kStale, kCollapsed, kValidated, kMiss, kPass, kBypass };
inline constexpr size_t kCacheResultCount = static_cast<size_t>(CacheResult::kBypass) + 1;
static_assert(metrics::kCacheResults.size() == kCacheResultCount);

constexpr std::string_view to_string(CacheResult result) { return metrics::kCacheResults[static_cast<size_t>(result)]; }

}   // namespace proxyd::proxy
