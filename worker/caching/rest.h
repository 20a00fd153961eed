#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "worker/http/head.h"
#include "worker/http/range.h"

namespace proxyd::caching {

// What is missing of a content whose beginning is at hand: it can be asked for alone, by Range and If-Range under the
// content's strong validator (RFC 9110 13.1.5, 14.2), and be joined to the beginning under that alone (15.3.7.3). A
// value; its entity tag points where it came from.
struct Rest {
  std::string_view etag;
  uint64_t begin = 0;
  std::optional<uint64_t> end;        // nothing: to the content's end
  std::optional<uint64_t> complete;   // the content's length, where it is known

  // Else what comes could not be joined to anything.
  bool can_be_asked_for() const;
  // Range and If-Range, in place of those that there are.
  void ask_by(http::Fields& fields) const;
  // Where in the content the answer begins: at its own beginning, or that of the rest. Nothing when it is of another
  // content, or does not have all of the rest.
  std::optional<uint64_t> begins_at(const http::ResponseHead& answer) const;
};

// What a stored part lacks. Nothing where it is no beginning or lacks nothing (RFC 9111 3.3).
std::optional<Rest> rest_of(const http::ContentRange& part, std::string_view etag);

}   // namespace proxyd::caching
