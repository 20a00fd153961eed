#pragma once

#include "shared/config/model.h"
#include "shared/metrics/metrics_region.h"

namespace proxyd::master {

// Adds every series that workers serving `document` count in, label values being names of the configuration, fixed
// words or both, so the number is bounded by the document. Before the snapshot is published; what finds no room is left
// out, which the region says.
void register_series(metrics::MetricsRegion& region, const config::Document& document);

}   // namespace proxyd::master
