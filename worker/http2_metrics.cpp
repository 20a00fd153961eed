#include "worker/http2_metrics.h"

#include <fmt/format.h>

namespace proxyd::worker {

namespace {

http2::Counters counters_of(const metrics::MetricsRegion& metrics, uint32_t slot, std::string_view prefix) {
  http2::Counters counters;
  const auto cell = [&](std::string_view name, const std::string& labels) {
    return metrics.cell(slot, fmt::format("{}_{}", prefix, name), labels);
  };
  const auto of = [](std::string_view direction, std::string_view key, std::string_view word) {
    return fmt::format("direction=\"{}\",{}=\"{}\"", direction, key, word);
  };
  for (size_t i = 0; i < http2::kFrameTypeCount; ++i) {
    const std::string_view type = to_string(static_cast<http2::FrameType>(i));
    counters.frames_received[i] = cell("frames_total", of("received", "type", type));
    counters.frames_sent[i] = cell("frames_total", of("sent", "type", type));
    counters.octets_received[i] = cell("frame_bytes_total", of("received", "type", type));
    counters.octets_sent[i] = cell("frame_bytes_total", of("sent", "type", type));
  }
  for (size_t i = 0; i < http2::kErrorCodeCount; ++i) {
    const std::string_view code = to_string(static_cast<http2::ErrorCode>(i));
    counters.resets_received[i] = cell("resets_total", of("received", "code", code));
    counters.resets_sent[i] = cell("resets_total", of("sent", "code", code));
  }
  for (size_t i = 1; i < http2::kFaultCount; ++i) {
    const std::string_view reason = to_string(static_cast<http2::Fault>(i));
    counters.connection_errors[i] = cell("conn_error_total", fmt::format("reason=\"{}\"", reason));
  }
  counters.header_tables = cell("header_table_bytes", "");
  return counters;
}

}   // namespace

http2::Counters http2_counters(const metrics::MetricsRegion& metrics, uint32_t slot) {
  return counters_of(metrics, slot, "proxyd_h2");
}

http2::Counters upstream_http2_counters(const metrics::MetricsRegion& metrics, uint32_t slot) {
  return counters_of(metrics, slot, "proxyd_upstream_h2");
}

}   // namespace proxyd::worker
