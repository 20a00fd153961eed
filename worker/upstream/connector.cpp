#include "worker/upstream/connector.h"

#include "worker/upstream/dial.h"
#include "worker/upstream/http1_exchange.h"

namespace proxyd::upstream {
namespace {

using Offer = tls::ClientContext::Offer;
using Opened = Result<std::unique_ptr<Exchange>, Fault>;

// HTTP/1.1 where the target may speak either: by its choice in the handshake, or because it is asked for that alone.
Offer offer_of(const Target& target, Use use) {
  if (target.protocol() != config::UpstreamProtocol::kAuto) return Offer::kNothing;
  return use == Use::kTunnel ? Offer::kHttp1 : Offer::kBoth;
}

std::unique_ptr<Exchange> take_pooled(const std::shared_ptr<Target>& target, const http1::HeadRules& rules) {
  std::unique_ptr<Connection> pooled = target->pool().take();
  if (!pooled) return nullptr;
  if (pooled->served() > 0) target->counters().reused.add();   // else made for `auto`, which chose HTTP/1.1
  return std::make_unique<Http1Exchange>(target, std::move(pooled), rules);
}

}   // namespace

std::unique_ptr<Exchange> reuse_connection(const std::shared_ptr<Target>& target, const http1::HeadRules& rules,
                                           Use use) {
  if (Http2Connections* http2 = target->http2()) {
    if (use == Use::kRequest) {
      if (auto exchange = http2->take(target, rules)) return exchange;
    }
    if (target->protocol() != config::UpstreamProtocol::kAuto) return nullptr;
  }
  return take_pooled(target, rules);
}

async::Task<Opened> open_exchange(std::shared_ptr<Target> target, http1::HeadRules rules, Use use, Deadline deadline) {
  Http2Connections* const http2 = target->http2();
  if (http2 && use == Use::kTunnel && target->protocol() != config::UpstreamProtocol::kAuto)
    co_return Opened(Fault::kNoTunnel);
  const bool shared = http2 && use == Use::kRequest;
  if (shared && !http2->is_refused()) {
    auto opened = co_await http2->open(target, rules, deadline);
    if (!opened || *opened) co_return std::move(opened);
    if (auto exchange = take_pooled(target, rules)) co_return Opened(std::move(exchange));   // it chose HTTP/1.1
  }
  auto dialled = co_await dial(*target, offer_of(*target, use), deadline);
  if (!dialled) co_return Opened(dialled.error());
  if ((*dialled)->chose_http2()) {   // another than before
    http2->adopt(std::move(*dialled));
    auto opened = co_await http2->open(target, rules, deadline);
    if (opened && !*opened) opened = Opened(Fault::kClosedUnanswered);
    co_return std::move(opened);
  }
  target->counters().connected.add();
  co_return Opened(std::make_unique<Http1Exchange>(std::move(target), std::move(*dialled), rules));
}

}   // namespace proxyd::upstream
