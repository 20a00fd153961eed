#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace proxyd::config {

// What the document's values are made of. An empty optional is `off`.
using Duration = std::chrono::milliseconds;
using MaybeDuration = std::optional<Duration>;
using MaybeSize = std::optional<uint64_t>;

inline constexpr Duration seconds(int64_t n) { return std::chrono::seconds(n); }

}   // namespace proxyd::config
