#pragma once

#include <span>
#include <string_view>

namespace proxyd::store {

// The steps that bring a database to this build's schema, in order; a step once released never changes, and within a
// major version steps only add. The number of applied steps is `migrations`.
std::span<const std::string_view> migrations();

}   // namespace proxyd::store
