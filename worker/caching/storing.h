#pragma once

#include "worker/caching/freshness.h"
#include "worker/caching/reason.h"
#include "worker/caching/url.h"

namespace proxyd::caching {

// A response and what it answers, as the origin was asked and as it answered.
struct Answer {
  const http::RequestHead& request;
  const http::ResponseHead& response;
  Url url;           // what the request asked for
  Moment sent;       // when the request went out
  Moment received;   // when the response's head was complete
};

// Whether the response is stored (RFC 9111 3), and what is kept beside its fields.
struct Storing {
  Reason reason = Reason::kNone;   // why not; kNone: stored
  Freshness freshness;
  // Empty when it does not vary; in the response's arena.
  std::string_view vary_list;

  bool stored() const { return reason == Reason::kNone; }
};

// The request is one that takes part (see bypass.h), or a POST that the policy names. Beyond RFC 9111 nothing is stored
// that has Set-Cookie, unless the policy strips it; that varies beyond what a key can say; or that nobody called
// shareable: a lifetime must come from the origin or from the policy.
Storing decide_storing(const Answer& answer, const Policy& policy);

// The same for a response that is stored already and was updated, whatever method brought the news.
Storing decide_keeping(const Answer& answer, const Policy& policy);

// The fields that are stored (RFC 9111 3.1): without those of the connection, of authentication to a proxy, Age (it is
// counted anew) and, where the policy strips it, Set-Cookie; with Date, if there was none (RFC 9110 6.6.1). In the
// response's arena.
http::Fields stored_fields(const http::ResponseHead& response, const Policy& policy, Moment received);

// A part is what came of it, whatever its Content-Range says, which is corrected. False for one whose length is not
// known: that is none. All of a content is left as it is.
bool fit_content_range(http::Fields& fields, std::optional<uint64_t> length);

}   // namespace proxyd::caching
