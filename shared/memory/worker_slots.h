#pragma once

#include <cstdint>

namespace proxyd {

// How many worker slots every region has, whatever `workers` says: running and draining generations share them.
inline constexpr uint32_t kWorkerSlots = 256;

}   // namespace proxyd
