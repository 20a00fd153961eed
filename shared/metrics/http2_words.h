#pragma once

#include <array>
#include <string_view>

namespace proxyd::metrics {

// The words of series about HTTP/2: the worker's http2::Fault, http2::FrameType and http2::ErrorCode say the same, and
// a test compares them.

// Why a connection was ended, in h2_conn_error_total{reason} and upstream_h2_conn_error_total{reason}.
inline constexpr std::array<std::string_view, 31> kHttp2Faults = {"preface",
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
                                                                  "no_memory"};

inline constexpr std::array<std::string_view, 12> kHttp2FrameTypes = {
    "data", "headers", "priority",      "rst_stream",   "settings",        "push_promise",
    "ping", "goaway",  "window_update", "continuation", "priority_update", "other"};

// Of resets.
inline constexpr std::array<std::string_view, 14> kHttp2ErrorCodes = {"no_error",
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
                                                                      "http_1_1_required"};

}   // namespace proxyd::metrics
