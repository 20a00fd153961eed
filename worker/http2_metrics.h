#pragma once

#include "shared/metrics/metrics_region.h"
#include "worker/http2/counters.h"

namespace proxyd::worker {

// The cells that HTTP/2 sessions count in, of a worker slot: those with clients, those with targets.
http2::Counters http2_counters(const metrics::MetricsRegion& metrics, uint32_t slot);
http2::Counters upstream_http2_counters(const metrics::MetricsRegion& metrics, uint32_t slot);

}   // namespace proxyd::worker
