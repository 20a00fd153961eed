#include "worker/proxy/ask_origin.h"

namespace proxyd::proxy {

async::Task<OwnAnswer> ask_origin(Request& request, CacheVisit& visit, const Origin& origin,
                                  std::optional<Fetch>& fetch) {
  OwnAnswer answer;
  for (;;) {
    request.ask_with(visit.origin_fields());
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

}   // namespace proxyd::proxy
