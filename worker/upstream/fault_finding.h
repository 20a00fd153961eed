#pragma once

#include <optional>

#include "shared/status/target_health.h"
#include "worker/upstream/exchange.h"

namespace proxyd::upstream {

// A fault as what it says of the target; nothing: it is not the target's.
constexpr std::optional<status::Finding> finding_of(Fault fault) {
  using status::Finding;
  switch (fault) {
    case Fault::kConnectionRefused: return Finding::kConnectionRefused;
    case Fault::kConnectionTimeout: return Finding::kConnectionTimeout;
    case Fault::kTls: return Finding::kTlsHandshake;
    case Fault::kNoHttp2: return Finding::kNoHttp2;
    case Fault::kTimeout: return Finding::kNoAnswer;
    case Fault::kClosedUnanswered:
    case Fault::kHeadIncomplete: return Finding::kBrokeOff;
    case Fault::kMalformed: return Finding::kMalformed;
    default: return std::nullopt;
  }
}

}   // namespace proxyd::upstream
