#pragma once

#include "shared/base/clock.h"

namespace proxyd::authentication {

// Whether credentials are right, and how long that may be remembered; zero: not at all.
struct Answer {
  bool right = false;
  milliseconds lasts{0};
};

}   // namespace proxyd::authentication
