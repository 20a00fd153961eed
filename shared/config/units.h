#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace proxyd::config {

// Durations "250ms", "30s", "5m", "1h", "1d", "1w" in milliseconds, sizes "512B", "8KiB", "64MiB", "4GiB", "1TiB" in
// octets. A number without its unit is not understood. Nothing on overflow.
std::optional<int64_t> parse_duration(std::string_view text);
std::optional<uint64_t> parse_size(std::string_view text);

// "50/s", "600/m", "100/10s": so many in a time.
struct Rate {
  uint64_t count = 1;
  int64_t per_ms = 1000;
};
std::optional<Rate> parse_rate(std::string_view text);
// "2MiB/s" in octets a second.
std::optional<uint64_t> parse_octet_rate(std::string_view text);

// In the largest unit that says it exactly.
std::string format_duration(int64_t milliseconds);
std::string format_size(uint64_t octets);

}   // namespace proxyd::config
