#pragma once

#include <span>
#include <string_view>

#include "shared/metrics/metrics_region.h"

namespace proxyd::metrics {

// A metric as it is documented: the one list that rows, /metrics and the reference come from.
struct Family {
  std::string_view name;   // with prefix and, for counters, `_total`
  Kind kind;
  std::string_view labels;   // names, "host,route,class"; empty: none
  std::string_view help;
};

std::span<const Family> catalog();

}   // namespace proxyd::metrics
