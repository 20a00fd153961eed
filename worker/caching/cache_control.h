#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "worker/http/fields.h"

namespace proxyd::caching {

// What RFC 9111 1.2.2 lets a lifetime be cut to: more than 68 years.
inline constexpr int64_t kMostSeconds = int64_t{1} << 31;

// Decimal seconds without a sign, cut to kMostSeconds; nothing for anything else (RFC 9111 1.2.2).
std::optional<int64_t> parse_delta_seconds(std::string_view text);

// The directives of a Cache-Control field (RFC 9111 5.2, RFC 5861, RFC 8246), or of a targeted field that says the same
// (RFC 9213). Seconds; kAbsent where a directive is not there. A plain value of one message.
struct CacheControl {
  static constexpr int64_t kAbsent = -1;

  int64_t max_age = kAbsent;
  int64_t s_maxage = kAbsent;
  int64_t stale_while_revalidate = kAbsent;
  int64_t stale_if_error = kAbsent;
  int64_t max_stale = kAbsent;   // kMostSeconds when any staleness will do
  int64_t min_fresh = kAbsent;
  bool no_store = false;
  bool no_cache = false;     // with field names too: we leave nothing out of what is stored (5.2.2.4)
  bool is_private = false;   // with field names too (5.2.2.7)
  bool is_public = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool immutable = false;
  bool only_if_cached = false;
  bool any = false;   // some directive that we know was there

  bool operator==(const CacheControl&) const = default;
};

// Where a directive of responses is kept; null for any other name.
bool* flag_of(CacheControl& control, std::string_view directive);
int64_t* seconds_of(CacheControl& control, std::string_view directive);

// A directive twice, or with a value that is none: what forbids more holds (4.2.1), so an invalid lifetime is none at
// all. Directives that we don't know are passed over; a quoted string that never ends forbids storing.
CacheControl parse_response_directives(const http::Fields& fields);

// In a request an invalid value counts as absent: it may not make the origin work.
CacheControl parse_request_directives(const http::Fields& fields);

// Whether some Pragma line says no-cache (5.4).
bool has_pragma_no_cache(const http::Fields& fields);

}   // namespace proxyd::caching
