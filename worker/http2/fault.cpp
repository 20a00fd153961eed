#include "worker/http2/fault.h"

#include <array>

namespace proxyd::http2 {
namespace {

constexpr std::array<std::string_view, kFaultCount> kWords = {
    "none",
    "preface",
    "stream0",
    "even_stream",
    "stream_id",
    "push",
    "frame_size",
    "padding",
    "settings",
    "ping",
    "continuation",
    "hpack",
    "window_zero",
    "window_overflow",
    "idle_rst",
    "idle_stream",
    "stream_closed",
    "goaway",
    "protocol",
    "rst_flood",
    "self_reset_flood",
    "empty_data_flood",
    "settings_flood",
    "ping_flood",
    "priority_flood",
    "window_flood",
    "refused_flood",
    "continuation_flood",
    "header_flood",
    "goaway_flood",
    "settings_timeout",
    "no_memory",
};

}   // namespace

std::string_view to_string(Fault fault) { return kWords[static_cast<size_t>(fault)]; }

ErrorCode code_of(Fault fault) {
  switch (fault) {
    case Fault::kNone: return ErrorCode::kNoError;
    case Fault::kFrameSize:
    case Fault::kPing: return ErrorCode::kFrameSizeError;
    case Fault::kHpack: return ErrorCode::kCompressionError;
    case Fault::kWindowOverflow: return ErrorCode::kFlowControlError;
    case Fault::kStreamClosed: return ErrorCode::kStreamClosed;
    case Fault::kSettingsTimeout: return ErrorCode::kSettingsTimeout;
    case Fault::kNoMemory: return ErrorCode::kInternalError;
    default: return fault >= Fault::kResetFlood ? ErrorCode::kEnhanceYourCalm : ErrorCode::kProtocolError;
  }
}

}   // namespace proxyd::http2
