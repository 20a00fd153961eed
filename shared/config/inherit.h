#pragma once

#include <optional>

#include "shared/config/decode.h"
#include "shared/config/model.h"

namespace proxyd::config {

// What holds at one level of the document of the keys that defaults, host and route share. A value; any process.
struct OnTheWay {
  Timeouts timeouts;
  Limits limits;
  HeaderEdits headers;
  std::optional<Retry> retry;
  std::optional<Rewrite> rewrite;
  std::optional<std::string> cache;       // none: off
  std::vector<std::string> rate_limits;   // the outer first
  std::optional<Bandwidth> bandwidth;
  std::vector<std::string> access;   // access lists, the outer first
  std::vector<Auth> auth;            // the outer first
  bool raw_path = false;
};

// What a level says, over what it inherits: timeouts, limits and headers key by key; auth beside what is there; the
// rest replaced as a whole; null drops what is inherited.
OnTheWay inherit(const Json& level, OnTheWay inherited);

Retry read_retry(const Json& json);

}   // namespace proxyd::config
