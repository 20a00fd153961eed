#include "worker/proxy/admission.h"

#include <algorithm>
#include <charconv>

#include "worker/proxy/grpc_answer.h"
#include "worker/proxy/local_answer.h"

namespace proxyd::proxy {
namespace {

using http::FieldName;
using Charge = limits::Rate::Charge;
using Mode = config::RateLimit::Mode;

constexpr uint64_t kClients = uint64_t{1} << 63;   // a domain of hashes that no rate has

bool is_allowed(const Request& request, const RouteGuard& guard) {
  for (const AccessRule& rule : guard.access) {
    if (rule.list->admits(request.facts.client)) continue;
    rule.denied.add();
    return false;
  }
  return true;
}

bool has_room_for_client(Request& request, uint64_t most) {
  const limits::LimitsRegion& region = request.proxy.limits();
  const uint64_t client = region.hash(kClients, routing::client_word(request.facts.client));
  const uint32_t slots = request.proxy.status().slots_in_use();
  const auto entered = region.clients().enter(request.proxy.slot(), slots, client, most);
  request.hold(entered.place);
  return entered.admitted;
}

Denial denied_by(const RateRule& rule, const Charge& charge) {
  rule.denied.add();
  return {rule.limit.settings().status, ProxyError::kRequestDenied, "too many requests", &rule, charge.wait};
}

Denial take(Request& request, std::span<const RateRule* const> rules) {
  const limits::LimitsRegion& region = request.proxy.limits();
  const limits::RateTable table = region.rates();
  const uint64_t now = limits::now_ns(request.loop().now());
  for (size_t i = 0; rules.size() > 1 && i < rules.size(); ++i) {
    const routing::RateLimit& limit = rules[i]->limit;
    const uint64_t key = limit.settings().mode == Mode::kEnforce ? limit.key_of(request.facts, region) : 0;
    if (key == 0) continue;
    const Charge charge = table.look(key, limit.rate(), now);
    if (!charge.admitted) return denied_by(*rules[i], charge);
  }
  for (const RateRule* rule : rules) {
    const uint64_t key = rule->limit.key_of(request.facts, region);
    if (key == 0) continue;
    const Charge charge = table.charge(key, rule->limit.rate(), now);
    if (charge.admitted) {
      rule->admitted.add();
    } else if (rule->limit.settings().mode == Mode::kObserve) {
      rule->observed.add();
      request.proxy.log_observed(rule->limit.settings().name, request.facts.client_text);
    } else {
      return denied_by(*rule, charge);
    }
  }
  return {};
}

std::string_view seconds_text(std::chrono::nanoseconds time, http::Arena& arena) {
  const int64_t seconds = std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(time).count());
  char* const text = arena.allocate_text(20);
  const auto [end, error] = std::to_chars(text, text + 20, seconds);
  return {text, static_cast<size_t>(end - text)};
}

}   // namespace

Denial admit(Request& request, const RouteGuard& guard) {
  if (!is_allowed(request, guard)) return {403, ProxyError::kRequestDenied};
  if (guard.requests_per_client && !has_room_for_client(request, *guard.requests_per_client))
    return {503, ProxyError::kConnectionLimit, "too many requests of this client at once"};
  return guard.rates.empty() ? Denial() : take(request, guard.rates);
}

Denial admit_to_origin(Request& request, const RouteGuard& guard) {
  if (guard.origin_rates.empty() || !request.begin_origin()) return {};
  return take(request, guard.origin_rates);
}

async::Task<void> answer_denied(Request& request, Denial denial) {
  http::Arena& arena = request.arena();
  http::Fields fields(arena);
  if (denial.rate) {
    const routing::RateLimit& limit = denial.rate->limit;
    const std::string_view wait = seconds_text(denial.wait, arena);
    fields.add(FieldName::kRetryAfter, wait);
    fields.add("RateLimit-Policy", limit.policy());
    fields.add("RateLimit", arena.concat("\"", limit.settings().name, "\";r=0;t=", wait));
    request.answer_with(&fields);
  }
  const bool exhausted = denial.rate && is_grpc(request.head);   // whatever other clients get for it
  co_await answer_error(request, exhausted ? 429 : denial.status, denial.error, denial.detail, false);
}

}   // namespace proxyd::proxy
