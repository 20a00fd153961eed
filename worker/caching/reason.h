#pragma once

#include "shared/metrics/cache_words.h"

namespace proxyd::caching {

using Reason = metrics::CacheReason;
using metrics::to_string;

}   // namespace proxyd::caching
