#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "worker/http2/error_code.h"

namespace proxyd::http2 {

// Why a whole connection is ended: one word each, the same in the metric `h2_conn_error{reason}` and in logs.
enum class Fault : uint8_t {
  kNone,
  // frames that make no sense (RFC 9113)
  kPreface,
  kStreamZero,
  kEvenStream,
  kStreamId,
  kPush,
  kFrameSize,
  kPadding,
  kSettings,
  kPing,
  kContinuation,
  kHpack,
  kWindowZero,
  kWindowOverflow,
  kIdleReset,
  kIdleStream,
  kStreamClosed,
  kGoaway,
  kProtocol,
  // more of what is allowed than anybody needs
  kResetFlood,
  kSelfResetFlood,
  kEmptyDataFlood,
  kSettingsFlood,
  kPingFlood,
  kPriorityFlood,
  kWindowFlood,
  kRefusedFlood,
  kContinuationFlood,
  kHeaderFlood,
  kGoawayFlood,
  // neither
  kSettingsTimeout,
  kNoMemory,
};

inline constexpr size_t kFaultCount = static_cast<size_t>(Fault::kNoMemory) + 1;

// "even_stream"
std::string_view to_string(Fault fault);

// What GOAWAY says of it.
ErrorCode code_of(Fault fault);

}   // namespace proxyd::http2
