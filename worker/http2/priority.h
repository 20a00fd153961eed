#pragma once

#include <cstdint>
#include <string_view>

namespace proxyd::http2 {

// How urgent an answer is to its client, and whether parts of it are of use before all is there (RFC 9218 4).
struct Priority {
  static constexpr uint8_t kDefaultUrgency = 3;
  static constexpr uint8_t kLeastUrgent = 7;

  uint8_t urgency = kDefaultUrgency;   // 0 first … 7
  bool incremental = false;

  bool operator==(const Priority&) const = default;
};

// Of a Priority field or PRIORITY_UPDATE: `u=1, i`. A parameter that is none or out of range is as if not there; what
// is no dictionary at all (RFC 8941) is the default.
Priority parse_priority(std::string_view text);

}   // namespace proxyd::http2
