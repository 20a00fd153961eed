#include "shared/metrics/labels.h"

#include <fmt/format.h>

namespace proxyd::metrics {

std::string label(std::string_view name, std::string_view value) { return fmt::format("{}=\"{}\"", name, value); }

std::string class_label(int status_class) { return fmt::format("class=\"{}xx\"", status_class); }

std::string listener_labels(std::string_view listener) { return label("listener", listener); }

std::string route_labels(std::string_view host, std::string_view route) {
  return with(label("host", host), label("route", route));
}

std::string upstream_labels(std::string_view upstream) { return label("upstream", upstream); }

std::string target_labels(std::string_view upstream, std::string_view target) {
  return with(upstream_labels(upstream), label("target", target));
}

std::string dynamic_target_labels(std::string_view upstream) { return target_labels(upstream, "_dynamic"); }

std::string with(std::string labels, std::string_view more) {
  if (!labels.empty()) labels += ',';
  return labels.append(more);
}

}   // namespace proxyd::metrics
