#pragma once

#include <optional>
#include <span>

#include "worker/caching/rest.h"
#include "worker/http/preconditions.h"
#include "worker/http/range.h"
#include "worker/net/text_content.h"
#include "worker/proxy/cache_visit.h"
#include "worker/proxy/relay/relay_content.h"
#include "worker/proxy/request.h"
#include "worker/proxy/stored/filled_content.h"
#include "worker/proxy/stored/ranges_content.h"

namespace proxyd::proxy {

class Slices;

// The answer to a request out of a stored response: all of it, the parts that the client asked for (RFC 9110 14), or
// the word that what it has is still good (13). Lies in the frame of the request's path; the visit outlives it. Nothing
// suspends: whoever answers relays `content`.
class StoredAnswer {
 public:
  // `slices`: of which the visit has one; null: it has all. They outlive this.
  StoredAnswer(Request& request, CacheVisit& visit, Slices* slices = nullptr)
      : request_(request), visit_(visit), slices_(slices) {}

  // The head. False when it can't be sent.
  bool begin();
  // What only the head needed can be freed, for the content may take long.
  void release_heads();
  // Tries the whole content in one piece. False: it is for a relay to go on.
  bool leaves_at_once(net::ContentSink& sink);
  net::ContentSource& content() { return *content_; }
  // Where the content is what this request fetches itself; else null.
  FilledContent* filled() { return filled_ ? &*filled_ : nullptr; }
  RelayLimits limits() const;

  // What the client lacks when somebody else's fetch broke off while it was answered from it. It may be that nothing
  // can be asked for.
  std::optional<caching::Rest> rest(const Relayed& relayed);

 private:
  bool begin_plainly(std::string_view hsts);
  bool begin_by_fields();
  void decide(const http::Fields& fields);
  void decide_part(const http::Fields& fields);
  void take_ranges(const http::Fields& fields, const http::RangeSelection& selection, uint64_t length);
  std::string_view varying_lines() const;
  void make_uncacheable(http::Fields& fields) const;
  void add_varying(http::Fields& fields) const;
  void set_content(uint64_t begin, std::optional<uint64_t> end);
  http::ContentLength whole() const;

  Request& request_;
  CacheVisit& visit_;
  Slices* slices_;
  int status_ = 0;
  http::ContentLength length_;
  std::string_view content_range_;   // of a 206 or 416
  std::string_view content_type_;    // of parts
  std::optional<uint64_t> end_;      // of what the client gets
  std::optional<StoredContent> stored_;
  std::optional<FilledContent> filled_;
  std::optional<RangesContent> ranges_;
  std::optional<net::TextContent> nothing_;
  net::ContentSource* content_ = nullptr;
};

}   // namespace proxyd::proxy
