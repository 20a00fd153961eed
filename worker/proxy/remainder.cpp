#include "worker/proxy/remainder.h"

#include "worker/caching/revalidation.h"
#include "worker/http/preconditions.h"
#include "worker/http/range.h"
#include "worker/proxy/fetch.h"
#include "worker/proxy/stored/rest_content.h"

namespace proxyd::proxy {
namespace {

using http::FieldName;

http::Fields fields_to_ask_with(const Request& request, const StoredAnswer::Remainder& wanted, http::Arena& arena) {
  http::Fields fields = caching::origin_request_fields(request.head.fields, {}, caching::RangeMode::kFull);
  const std::string_view last = wanted.end ? arena.number(*wanted.end - 1) : std::string_view();
  fields.add(FieldName::kRange, arena.concat("bytes=", arena.number(wanted.begin), "-", last));
  fields.add(FieldName::kIfRange, wanted.etag);
  return fields;
}

// Where in the content the answer begins, if it is of the same one.
std::optional<uint64_t> beginning_of(const http::ResponseHead& response, const StoredAnswer::Remainder& wanted) {
  if (!http::strongly_equal(response.fields.value(FieldName::kEtag), wanted.etag)) return std::nullopt;
  if (response.status == 200) return 0;
  const auto part = http::parse_content_range(response.fields.value(FieldName::kContentRange));
  if (response.status != 206 || !part || part->unsatisfied || part->range.first != wanted.begin) return std::nullopt;
  const std::optional<uint64_t> end = wanted.end ? wanted.end : part->complete;   // all of it, not some
  return end && part->range.last + 1 >= *end ? std::optional(wanted.begin) : std::nullopt;
}

}   // namespace

async::Task<Relayed> relay_remainder(Request& request, const upstream::UpstreamGroup& group,
                                     StoredAnswer::Remainder remainder) {
  const Relayed cut{.end = Relayed::End::kCut};
  if (remainder.etag.empty()) co_return cut;
  const http::Fields fields = fields_to_ask_with(request, remainder, request.arena());
  request.ask_with(&fields);
  Fetch fetch(request, group);
  const Fetch::Outcome fetched = co_await fetch.run();
  request.ask_with(nullptr);
  if (fetched != Fetch::Outcome::kResponse) co_return cut;
  upstream::Exchange& origin = fetch.attempt().exchange();
  const auto begins = beginning_of(origin.response(), remainder);
  if (!begins) co_return cut;
  const RelayLimits limits = fetch.attempt().response_limits();
  RestContent rest(fetch.attempt().hand_over(), *begins, remainder.begin, remainder.end);
  Relay relay(request.loop(), rest, request.exchange.sink(), limits);
  const Relayed relayed = co_await relay_content(relay);
  co_return relayed;
}

}   // namespace proxyd::proxy
