#include "worker/caching/reason.h"

#include <array>

namespace proxyd::caching {

std::string_view to_string(Reason reason) {
  constexpr std::array<std::string_view, kReasonCount> kWords = {"none",
                                                                 "method",
                                                                 "method_override",
                                                                 "request_content",
                                                                 "encoded_traversal",
                                                                 "precondition",
                                                                 "bypass_cookie",
                                                                 "bypass_header",
                                                                 "bypass_query",
                                                                 "bypass_path",
                                                                 "key_too_long",
                                                                 "miss",
                                                                 "vary_miss",
                                                                 "partial",
                                                                 "stale",
                                                                 "soft_purged",
                                                                 "no_cache",
                                                                 "request_no_cache",
                                                                 "request_max_age",
                                                                 "request_min_fresh",
                                                                 "status",
                                                                 "request_no_store",
                                                                 "no_store",
                                                                 "private",
                                                                 "not_understood",
                                                                 "authorization",
                                                                 "forwarding_fields",
                                                                 "vary",
                                                                 "vary_too_long",
                                                                 "coding",
                                                                 "set_cookie",
                                                                 "content_location",
                                                                 "content_range",
                                                                 "too_large",
                                                                 "no_lifetime",
                                                                 "no_validator",
                                                                 "expired"};
  static_assert(!kWords.back().empty());
  return kWords[static_cast<size_t>(reason)];
}

}   // namespace proxyd::caching
