#pragma once

#include <optional>
#include <string_view>

#include "worker/caching/storing.h"
#include "worker/http/range.h"

namespace proxyd::caching {

// What a stored response is known by, as its fields say it.
struct StoredValidators {
  std::string_view etag;
  std::string_view last_modified;
};

// The fields by which the origin is asked in a request's place, for content that may be stored (RFC 9111 4.3.1):
// without the client's own preconditions, which are evaluated once the answer is there, and without its Range, unless
// ranges pass; with those of the stored response, if there is one. In the request's arena.
http::Fields origin_request_fields(const http::Fields& request_fields, const StoredValidators& stored, RangeMode range);

// Stored fields as a newer response of the same content leaves them (RFC 9111 3.2), without the Set-Cookie of the
// newer.
http::Fields updated(const http::Fields& stored, http::Fields update, http::Arena& arena);

// Whether a 304 speaks of the stored response (RFC 9111 4.3.4). One without a validator does: it answers a request that
// named no other. When it does not, the origin is asked again without a condition.
bool is_freshened_by(const http::Fields& not_modified, const StoredValidators& stored);

// A stored response updated by a 304, or by a 200 to HEAD (RFC 9111 3.2): the response as it is now, and whether it
// stays stored. Every field of the new one replaces all lines of its name, but for those that describe the stored
// content, Content-Encoding, Content-Length and Content-Range, and for Set-Cookie, which is for the one that asked
// alone. What does not stay stored is served once more and dropped; but for kRequestNoStore, which leaves the stored
// response as it was.
struct Freshened {
  http::ResponseHead response;
  Storing storing;
};

// `answer.response` is the new one.
Freshened freshen(const http::Fields& stored_fields, int stored_status, const Answer& answer, const Policy& policy);

// What a final answer to HEAD does to the stored response to GET (RFC 9111 4.3.5).
enum class HeadEffect : uint8_t { kNone, kFreshen, kInvalidate };

// `told_length`: Content-Length, if there was one.
HeadEffect effect_of_head(const http::ResponseHead& response, std::optional<uint64_t> told_length,
                          const StoredValidators& stored, int stored_status, uint64_t stored_length);

// Where the octets that a Range asks for lie, when a stored part has all of them: one range alone.
std::optional<http::ByteRange> range_within(std::string_view range_field, const http::ContentRange& part);

}   // namespace proxyd::caching
