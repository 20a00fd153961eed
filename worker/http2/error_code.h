#pragma once

#include <cstdint>
#include <string_view>

namespace proxyd::http2 {

// Why a stream was reset or a connection ended (RFC 9113 7). What a peer sends may be any number; those that we don't
// know mean what kInternalError means.
enum class ErrorCode : uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kFlowControlError = 3,
  kSettingsTimeout = 4,
  kStreamClosed = 5,
  kFrameSizeError = 6,
  kRefusedStream = 7,
  kCancel = 8,
  kCompressionError = 9,
  kConnectError = 10,
  kEnhanceYourCalm = 11,
  kInadequateSecurity = 12,
  kHttp11Required = 13,
};

inline constexpr size_t kErrorCodeCount = 14;

// "protocol_error", the word in metrics and logs; "unknown" for a number that has no name.
std::string_view to_string(ErrorCode code);

// Its row in a table of them all; what has no name counts with kInternalError.
constexpr size_t index_of(ErrorCode code) {
  const auto number = static_cast<uint32_t>(code);
  return number < kErrorCodeCount ? number : static_cast<size_t>(ErrorCode::kInternalError);
}

// Whether a reset with this code says that the peer did wrong: such resets count against it, for they cost it nothing
// and us a request (CVE-2025-8671).
constexpr bool blames_peer(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNoError:
    case ErrorCode::kInternalError:
    case ErrorCode::kCancel:
    case ErrorCode::kConnectError: return false;
    default: return true;
  }
}

}   // namespace proxyd::http2
