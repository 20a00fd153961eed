#pragma once

#include <optional>
#include <string_view>

#include "shared/cache/fill.h"
#include "shared/cache/stored_response.h"
#include "worker/caching/rest.h"
#include "worker/http/arena.h"

namespace proxyd::proxy {

// A stored beginning of a content, which the rest is asked for to make it whole (RFC 9111 3.3, 3.4). A value that holds
// a pin; what it gives out points into the region and lives as long. Nothing suspends.
class StoredPart {
 public:
  StoredPart(cache::StoredResponse response, http::Arena& arena);

  // What is missing. Nothing where what comes could not be joined to it: it is no beginning, lacks nothing, or has no
  // strong validator.
  const std::optional<caching::Rest>& rest() const { return rest_; }
  // The fields that were stored with it, in the arena.
  http::Fields fields(http::Arena& arena) const;
  // A 206 is just the rest, of the same content.
  bool is_completed_by(const http::ResponseHead& answer) const;
  // False without room for it.
  bool append_to(cache::Filler& filler) const;

 private:
  cache::StoredResponse response_;
  std::optional<caching::Rest> rest_;
};

}   // namespace proxyd::proxy
