#include "shared/config/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace proxyd::config {
namespace {

using Unit = std::pair<std::string_view, uint64_t>;

constexpr std::array<Unit, 6> kDurations = {
    {{"w", 604'800'000}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 5> kSizes = {
    {{"TiB", uint64_t{1} << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}};
constexpr uint64_t kMost = uint64_t{1} << 53;      // what every reader of JSON can hold
constexpr int64_t kLongestRateTime = 86'400'000;   // a day
constexpr uint64_t kMostInRate = 1'000'000;

template <size_t N>
std::optional<uint64_t> parse(std::string_view text, const std::array<Unit, N>& units) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  for (const auto& [name, factor] : units) {
    if (name == unit) return number > kMost / factor ? std::nullopt : std::optional(number * factor);
  }
  return std::nullopt;
}

// Weeks and days are written as days: "7d" reads better than "1w" beside "30d".
template <size_t N>
std::string format(uint64_t value, const std::array<Unit, N>& units, size_t from) {
  for (size_t i = from; i < N; ++i) {
    const auto& [name, factor] = units[i];
    if (value % factor == 0 && (value != 0 || i + 1 == N)) return fmt::format("{}{}", value / factor, name);
  }
  return {};
}

}   // namespace

std::optional<int64_t> parse_duration(std::string_view text) {
  const auto value = parse(text, kDurations);
  return value ? std::optional(static_cast<int64_t>(*value)) : std::nullopt;
}

std::optional<uint64_t> parse_size(std::string_view text) { return parse(text, kSizes); }

std::optional<Rate> parse_rate(std::string_view text) {
  Rate rate;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate.count);
  const std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error != std::errc() || !rest.starts_with('/')) return std::nullopt;
  std::string per(rest.substr(1));
  if (per.empty() || per[0] < '0' || per[0] > '9') per.insert(0, "1");
  const auto time = parse_duration(per);
  if (!time || *time < 1000 || *time > kLongestRateTime || rate.count == 0 || rate.count > kMostInRate)
    return std::nullopt;
  rate.per_ms = *time;
  return rate;
}

std::optional<uint64_t> parse_octet_rate(std::string_view text) {
  if (!text.ends_with("/s")) return std::nullopt;
  return parse_size(text.substr(0, text.size() - 2));
}

std::string format_duration(int64_t milliseconds) {
  return milliseconds == 0 ? "0s" : format(static_cast<uint64_t>(milliseconds), kDurations, 1);
}

std::string format_size(uint64_t octets) { return octets == 0 ? "0B" : format(octets, kSizes, 0); }

}   // namespace proxyd::config
