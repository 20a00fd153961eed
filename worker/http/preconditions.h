#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "worker/http/fields.h"
#include "worker/http/method.h"

namespace proxyd::http {

// What a representation is known by (RFC 9110 8.8). Seconds since 1970.
struct Validators {
  bool exists = true;   // there is a representation at all
  std::string_view etag;
  std::optional<int64_t> last_modified;
  int64_t date = 0;   // of the response that brought it
};

// RFC 9110 8.8.3.2.
bool strongly_equal(std::string_view one_etag, std::string_view other);
bool weakly_equal(std::string_view one_etag, std::string_view other);

enum class Precondition : uint8_t { kHolds, kNotModified, kFailed };   // the method's answer, 304, 412

// All of a request's preconditions in their order (RFC 9110 13.2.2), but for If-Range. Where the representation has no
// Last-Modified, If-Modified-Since is held against Date (RFC 9111 4.3.2) and If-Unmodified-Since ignored, as is what is
// no date.
Precondition evaluate_preconditions(Method method, const Fields& request, const Validators& validators, int64_t now);

// Whether the Range of a request may be answered (RFC 9110 13.1.5): there is no If-Range, or it names this very
// representation, by a strong entity tag or by a date that is a strong validator (8.8.2.2).
bool if_range_holds(const Fields& request, const Validators& validators, int64_t now);

}   // namespace proxyd::http
