#pragma once

#include <optional>
#include <string_view>

#include "shared/cache/fill.h"
#include "shared/cache/stored_response.h"
#include "worker/http/arena.h"
#include "worker/http/head.h"
#include "worker/http/range.h"

namespace proxyd::proxy {

// A stored beginning of a content, which the rest is asked for to make it whole (RFC 9111 3.3, 3.4). A value that holds
// a pin; what it gives out points into the region and lives as long. Nothing suspends.
class StoredPart {
 public:
  StoredPart(cache::StoredResponse response, http::Arena& arena);

  // "bytes=5-": the Range of what is missing. Empty where what comes could not be joined to it: it is no beginning,
  // lacks nothing, or has no strong validator (RFC 9110 15.3.7.3).
  std::string_view wanted_rest(http::Arena& arena) const;
  std::string_view etag() const { return etag_; }
  // A 206 is just the rest, of the same content.
  bool is_completed_by(const http::ResponseHead& rest) const;
  // False without room for it.
  bool append_to(cache::Filler& filler) const;

 private:
  cache::StoredResponse response_;
  std::optional<http::ContentRange> where_;
  std::string_view etag_;
};

}   // namespace proxyd::proxy
