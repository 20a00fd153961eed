#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "master/admin/exchange.h"
#include "shared/cache/purge.h"

namespace proxyd::admin {

// What a call wants purged, as it was written. A value; what it holds has the right types and sizes, no more.
struct PurgeRequest {
  std::vector<std::string> urls;
  std::vector<std::string> tags;
  std::vector<std::string> prefixes;
  std::vector<std::string> hosts;
  bool all = false;
  cache::PurgeMode mode = cache::PurgeMode::hard;
  std::string reason;

  std::string_view mode_word() const { return mode == cache::PurgeMode::soft ? "soft" : "hard"; }
  struct Shown {
    size_t subjects = SIZE_MAX;   // of each kind; how many there are is told where it is more
    size_t octets = SIZE_MAX;     // of each subject
  };
  Json subjects(Shown shown) const;
};

struct PurgeBody {
  PurgeRequest request;
  std::optional<AdminAnswer> refusal;   // names every fault at once
};
PurgeBody read_purge(const Json& body);

}   // namespace proxyd::admin
