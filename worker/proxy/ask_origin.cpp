#include "worker/proxy/ask_origin.h"

namespace proxyd::proxy {

async::Task<OwnAnswer> ask_origin(Request& request, CacheVisit& visit, const Origin& origin,
                                  std::optional<Fetch>& fetch) {
  OwnAnswer answer;
  for (;;) {
    request.ask_with(visit.begin_asking());
    fetch.emplace(request, origin.group);
    const caching::Moment sent = request.proxy.moment();
    answer.outcome = co_await fetch->run();
    if (answer.outcome != Fetch::Outcome::kResponse) co_return answer;
    http::ResponseHead& response = fetch->attempt().exchange().response();
    adapt_response_fields(response, response.status == 304, request.arena());
    answer.status = response.status;
    answer.then = visit.take(response, sent);
    if (answer.then == CacheVisit::Then::kAskAgain) continue;
    if (visit.is_new()) visit.begin_fill(fetch->attempt().hand_over(), nullptr);
    co_return answer;
  }
}

async::Task<std::optional<uint64_t>> ask_origin_for_rest(Request& request, const caching::Rest& rest,
                                                         caching::RangeMode range, Fetch& fetch) {
  if (!rest.can_be_asked_for()) co_return std::nullopt;
  http::Fields fields = caching::origin_request_fields(request.head.fields, {}, range);
  rest.ask_by(fields);
  request.ask_with(&fields);
  const Fetch::Outcome fetched = co_await fetch.run();
  request.ask_with(nullptr);
  if (fetched != Fetch::Outcome::kResponse) co_return std::nullopt;
  co_return rest.begins_at(fetch.attempt().exchange().response());
}

}   // namespace proxyd::proxy
