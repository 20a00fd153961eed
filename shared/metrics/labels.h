#pragma once

#include <string>
#include <string_view>

namespace proxyd::metrics {

// Label sets as the directory spells them, for who registers a series, who counts in it and who reads it. Values are
// names of the configuration or fixed words, so nothing needs escaping.
std::string label(std::string_view name, std::string_view value);   // `result="ok"`
std::string class_label(int status_class);                          // `class="2xx"`
std::string listener_labels(std::string_view listener);
std::string route_labels(std::string_view host, std::string_view route);
std::string upstream_labels(std::string_view upstream);
std::string target_labels(std::string_view upstream, std::string_view target);
// All targets of an upstream whose targets come and go by the API: the directory of series only grows, and their names
// have no bound. "_dynamic" is no target of such an upstream alone, so no other counts there.
std::string dynamic_target_labels(std::string_view upstream);
std::string with(std::string labels, std::string_view more);

}   // namespace proxyd::metrics
