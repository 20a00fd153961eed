#pragma once

#include <span>
#include <string_view>

#include "shared/config/model.h"
#include "shared/metrics/metrics_region.h"

namespace proxyd::metrics {

// A metric as it is documented: the one list that rows, /metrics and the reference come from (admin.md 6).
struct Family {
  std::string_view name;   // with prefix and, for counters, `_total`
  Kind kind;
  std::string_view labels;   // names, "host,route,class"; empty: none
  std::string_view help;
};

std::span<const Family> catalog();

// Adds every series that workers serving `document` count in, label values being names of the configuration, fixed
// words or both, so the number is bounded by the document. Master only, before the snapshot is published.
void register_series(MetricsRegion& region, const config::Document& document);

}   // namespace proxyd::metrics
