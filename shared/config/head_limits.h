#pragma once

#include <cstdint>

namespace proxyd::config {

// What no head exceeds, whatever a document says; "off" means these.
inline constexpr uint64_t kLargestHead = 128 * 1024;   // octets, first line and fields: one buffer of the worker
inline constexpr uint64_t kMostFields = 1000;          // they must fit into an arena, twice

}   // namespace proxyd::config
