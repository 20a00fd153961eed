#pragma once

#include <cstddef>
#include <cstdint>

#include "worker/http/underscore.h"

namespace proxyd::http2 {

enum class Role : uint8_t { kServer, kClient };

// What we allow a peer. A value, fixed for a session's life; sizes in octets.
struct Settings {
  uint32_t max_streams = 100;                 // that a client may have at once, those included that it has reset
  uint32_t stream_window = 64 * 1024;         // of content received, for each stream
  uint32_t connection_window = 1024 * 1024;   // … for all
  uint32_t header_table = 4096;               // HPACK, what the peer may use to send to us
  uint32_t max_header_list = 32 * 1024;       // names, values and 32 for each field (RFC 9113 6.5.2)
  uint32_t max_fields = 100;                  // crumbs of cookies are one
  uint32_t max_target = 8 * 1024;             // :path
  uint32_t max_trailers = 8 * 1024;
  http::Underscore underscore = http::Underscore::kReject;
  bool https = false;              // the connection's scheme, which :scheme does not change
  bool small_heads = false;        // use HPACK's table for what we send: fewer octets, more work
  bool extended_connect = false;   // RFC 8441
};

}   // namespace proxyd::http2
