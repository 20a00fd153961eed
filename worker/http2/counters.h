#pragma once

#include <array>

#include "shared/metrics/metrics_region.h"
#include "worker/http2/error_code.h"
#include "worker/http2/fault.h"
#include "worker/http2/frame_type.h"

namespace proxyd::http2 {

// What sessions count, a cell each; owned by the worker, one set for a role, outlives the sessions. Every cell has to
// be there.
struct Counters {
  std::array<metrics::Cell, kFrameTypeCount> frames_received;
  std::array<metrics::Cell, kFrameTypeCount> frames_sent;
  std::array<metrics::Cell, kFrameTypeCount> octets_received;   // of payloads
  std::array<metrics::Cell, kFrameTypeCount> octets_sent;
  std::array<metrics::Cell, kErrorCodeCount> resets_received;
  std::array<metrics::Cell, kErrorCodeCount> resets_sent;
  std::array<metrics::Cell, kFaultCount> connection_errors;
  metrics::Cell header_tables;   // octets in the HPACK tables of all sessions, both directions: a gauge
};

}   // namespace proxyd::http2
