#include "worker/proxy/purge.h"

#include "worker/caching/purge_request.h"
#include "worker/proxy/local_answer.h"
#include "worker/proxy/purge_account.h"
#include "worker/proxy/purge_order.h"

namespace proxyd::proxy {

async::Task<void> answer_purge(Request& request) {
  request.matched.route = nullptr;   // the host answers, whatever its routes would do
  const routing::HostEntry* host = request.matched.host;
  const auto& access = request.configuration->purge_access;
  if (!host || !access[host->index]) {
    co_await answer_error(request, 405, ProxyError::kNone, {}, false);
    co_return;
  }
  if (!access[host->index]->admits(request.exchange.peer().address().mapped(), request.head.fields)) {
    co_await answer_error(request, 403, ProxyError::kRequestDenied, {}, false);
    co_return;
  }
  const config::Purge& settings = *host->settings.purge;
  const caching::PurgeRequest purge = caching::read_purge(request.head, settings);
  std::optional<PurgeBan> ban = ban_of(purge);
  const bool is_good = purge.fault == caching::PurgeRequest::Fault::kNone;
  if (!is_good || (ban && !ban->fault.empty())) {
    const std::string_view fault = is_good ? request.arena().copy(ban->fault) : caching::explanation_of(purge.fault);
    co_await answer_error(request, 400, ProxyError::kNone, fault, false);
    co_return;
  }
  const bool soft = purge.soft || settings.mode == config::PurgeMode::kSoft;
  const std::string_view mode = soft ? "soft" : "hard";
  const PurgeOrder order = order_of(request, purge, std::move(ban));
  const auto write = soft ? cache::PurgeMode::soft : cache::PurgeMode::hard;
  if (!carry_out(order, write, request.proxy.shared_cache().cache())) {
    request.proxy.log().warning("a PURGE was refused: the cache's purge lock is held");
    co_await answer_error(request, 503, ProxyError::kNone, "other purges hold the lock; nothing is purged", false);
    co_return;
  }
  const nlohmann::json purged = described(order, purge);
  request.proxy.log().info("{} purged by {}: {}", mode, request.facts.peer_text, text_of(purged));
  request.proxy.record_purge(for_the_record(mode, request, purged));
  const nlohmann::json body{{"status", "ok"}, {"mode", mode}, {"purged", purged}};
  const std::string_view text = request.arena().copy(text_of(body));
  co_await answer_json(request, 200, text);
}

}   // namespace proxyd::proxy
