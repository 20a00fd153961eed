#include "worker/proxy/relay_rest.h"

#include "worker/caching/reuse.h"
#include "worker/proxy/ask_origin.h"
#include "worker/proxy/stored/rest_content.h"

namespace proxyd::proxy {
namespace {

// RFC 9111 5.2.1.7: the client wants nothing that has to be asked for.
bool may_be_asked_for(const Request& request) {
  const caching::Policy* policy = request.configuration->route_policy[request.matched.route->index];
  return policy && !caching::request_directives(request.head.fields, *policy).only_if_cached;
}

}   // namespace

async::Task<Relayed> relay_rest(Request& request, const upstream::UpstreamGroup& group, caching::Rest rest) {
  const Relayed cut{.end = Relayed::End::kCut};
  if (!may_be_asked_for(request)) co_return cut;
  Fetch fetch(request, group);
  const auto begins = co_await ask_origin_for_rest(request, rest, caching::RangeMode::kFull, fetch);
  if (!begins) co_return cut;
  const RelayLimits limits = fetch.attempt().response_limits();
  RestContent content(fetch.attempt().hand_over(), *begins, rest.begin, rest.end);
  Relay relay(request.loop(), content, request.exchange.sink(), limits);
  const Relayed relayed = co_await relay_content(relay);
  co_return relayed;
}

}   // namespace proxyd::proxy
