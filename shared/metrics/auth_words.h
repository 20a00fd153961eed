#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace proxyd::metrics {

// What came of asking a client for what a route's `auth` requires, one word each. `missing`: it showed nothing of the
// kind; `busy`: nobody had the time to look.
enum class AuthResult : uint8_t { kAdmitted, kMissing, kRefused, kBusy };

inline constexpr std::array<std::string_view, 4> kAuthResults = {"admitted", "missing", "refused", "busy"};
static_assert(kAuthResults.size() == static_cast<size_t>(AuthResult::kBusy) + 1);

}   // namespace proxyd::metrics
