#include "worker/http2/error_code.h"

#include <array>

namespace proxyd::http2 {
namespace {

constexpr std::array<std::string_view, kErrorCodeCount> kWords = {
    "no_error",
    "protocol_error",
    "internal_error",
    "flow_control_error",
    "settings_timeout",
    "stream_closed",
    "frame_size_error",
    "refused_stream",
    "cancel",
    "compression_error",
    "connect_error",
    "enhance_your_calm",
    "inadequate_security",
    "http_1_1_required",
};

}   // namespace

std::string_view to_string(ErrorCode code) {
  const auto number = static_cast<uint32_t>(code);
  return number < kErrorCodeCount ? kWords[number] : "unknown";
}

}   // namespace proxyd::http2
