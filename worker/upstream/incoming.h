#pragma once

#include <memory>

#include "worker/upstream/exchange.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {

// A response on its way, with the connection that it comes on and its place in the target's count: what an attempt
// hands over to whoever goes on with it.
struct Incoming {
  std::unique_ptr<Exchange> exchange;
  InFlight in_flight;
};

}   // namespace proxyd::upstream
