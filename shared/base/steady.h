#pragma once

#include <cstdint>

#include "shared/base/clock.h"

namespace proxyd {

// An instant as the processes of this machine tell it to each other: milliseconds of the clock that they share.
constexpr int64_t steady_ms(Instant when) {
  return std::chrono::duration_cast<milliseconds>(when.time_since_epoch()).count();
}

}   // namespace proxyd
