#include "worker/cache_lookup.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "shared/base/bytes.h"
#include "worker/asked_request.h"
#include "worker/caching/bypass.h"
#include "worker/caching/cache_key.h"
#include "worker/caching/reuse.h"
#include "worker/caching/slices.h"
#include "worker/caching/vary.h"
#include "worker/proxy/answer_in_slices.h"
#include "worker/proxy/origin.h"
#include "worker/proxy/request.h"
#include "worker/proxy/stored/stored_head.h"
#include "worker/stored_objects.h"

namespace proxyd::worker {
namespace {

using caching::Reason;
using nlohmann::json;

void conclude(json& answer, const char* result, Reason reason, const std::string& why) {
  answer["result"] = result;
  answer["reason"] = reason == Reason::kNone ? json() : json(std::string(caching::to_string(reason)));
  answer["why"] = why;
}

// By which policy and key a request is cached, if it is.
struct Terms {
  const caching::Policy* policy = nullptr;
  Reason bypassed = Reason::kNone;
  std::optional<caching::CacheKey> key;         // unless it is bypassed
  std::optional<caching::CacheKey> slice_key;   // of the first slice that is wanted, where there may be slices
};

Terms terms_of(const proxy::Configuration& configuration, const routing::RouteEntry& route, AskedRequest& asked) {
  Terms terms;
  terms.policy = configuration.route_policy[route.index];
  if (!terms.policy) return terms;
  terms.bypassed = caching::why_bypassed(asked.head(), *terms.policy);
  if (terms.bypassed != Reason::kNone && !caching::is_post_to_be_stored(asked.head(), *terms.policy)) return terms;
  const std::string_view partition = proxy::origin_of(configuration, route, asked.facts(), Clock::now()).partition;
  terms.key =
      caching::cache_key(proxy::url_of(asked.facts(), &route), asked.head().fields, terms.policy->key, partition);
  if (!terms.key) terms.bypassed = Reason::kKeyTooLong;
  const auto octet = caching::octet_to_begin_with(asked.head(), *terms.policy);
  if (!octet) return terms;
  const std::string_view part =
      caching::slice_partition(partition, *octet / terms.policy->slice, terms.policy->slice, asked.arena());
  terms.slice_key =
      caching::cache_key(proxy::url_of(asked.facts(), &route), asked.head().fields, terms.policy->key, part);
  return terms;
}

void judge(const cache::StoredResponse& stored, cache::Purged purged, const AskedRequest& asked,
           const caching::Policy& policy, caching::Moment now, json& answer) {
  const caching::CacheControl control = caching::request_directives(asked.head().fields, policy);
  const caching::Freshness freshness = proxy::freshness_of(stored);
  const bool is_part = !policy.slice && freshness.has(caching::Freshness::kPartial);
  if (is_part && !proxy::part_answers(stored, asked.head(), now.wall_seconds()))
    return conclude(answer, "miss", Reason::kPartial, "only a part of it is stored, and more is asked for");
  const caching::Reuse reuse = caching::decide_reuse(freshness, control, purged == cache::Purged::soft, now.steady);
  const json& item = answer["stored"];
  const std::string times = fmt::format("its age is {}, its lifetime {} by {}", item["age"].get<std::string>(),
                                        item["lifetime"].get<std::string>(), caching::to_string(freshness.source));
  const bool complete = stored.state() == cache::State::complete;
  if (!complete)
    conclude(answer, "wait", reuse.reason, "a fetch of it is under way; who asks now is given it as it comes");
  else if (reuse.served() && reuse.reason == Reason::kNone)
    conclude(answer, "hit", reuse.reason, "it is fresh: " + times);
  else if (reuse.served())
    conclude(answer, "stale", reuse.reason, "it may be served although it is not fresh: " + times);
  else if (reuse.use == caching::Use::kGatewayTimeout)
    conclude(answer, "refuse", reuse.reason, "it is answered 504: by only-if-cached the origin is not asked; " + times);
  else
    conclude(answer, "validate", reuse.reason, "the origin is asked first: " + times);
}

// What becomes of a request for which nothing is stored.
void conclude_without_any(json& answer, const char* result, Reason reason, const std::string& why, AskedRequest& asked,
                          const caching::Policy& policy) {
  const caching::CacheControl control = caching::request_directives(asked.head().fields, policy);
  if (caching::use_of_nothing(control) == caching::Use::kGatewayTimeout)
    return conclude(answer, "refuse", reason,
                    "it is answered 504: by only-if-cached the origin is not asked, and " + why);
  if (control.no_store)
    return conclude(answer, "pass", Reason::kRequestNoStore, why + "; by no-store the answer is not stored either");
  if (asked.head().method == http::Method::kHead)
    return conclude(answer, "pass", reason, why + "; the answer to HEAD is not stored either");
  conclude(answer, result, reason, why);
}

void look(cache::Cache& cache, const caching::CacheKey& primary, AskedRequest& asked, const caching::Policy& policy,
          caching::Moment now, json& answer) {
  if (asked.head().method == http::Method::kPost)
    return conclude(answer, "miss", Reason::kMethod, "the origin is asked; its answer may be stored");
  const uint64_t sequence = cache.published();
  std::string key(primary.text);
  cache::Lookup found = cache.find(key, sequence, now.steady);
  const bool is_list = found.response && found.response.has_head() && found.purged != cache::Purged::hard &&
                       found.response.kind() == cache::Kind::vary_head;
  if (is_list) {
    answer["vary"] = describe_object(found.response, sequence, now.steady)["vary"];
    const auto secondary = caching::secondary_key(proxy::vary_head_of(found.response).list, asked.head().fields);
    if (!secondary) return conclude(answer, "bypass", Reason::kVaryTooLong, "what it varies by is too long for a key");
    key += *secondary;
    found = cache.find(key, sequence, now.steady);
  }
  if (found.response) answer["stored"] = describe_object(found.response, sequence, now.steady);
  using Outcome = cache::Lookup::Outcome;
  if (found.outcome == Outcome::unpinnable)
    return conclude_without_any(answer, "pass", Reason::kBusy, "this worker reads too much at once", asked, policy);
  if (found.outcome == Outcome::pass)
    return conclude_without_any(answer, "pass", Reason::kMiss,
                                "the origin's last answer was not to be stored: nobody waits for it", asked, policy);
  if (found.outcome != Outcome::found || found.purged == cache::Purged::hard)
    return conclude_without_any(answer, "miss", is_list ? Reason::kVaryMiss : Reason::kMiss,
                                found.response ? "what was stored is purged"
                                : is_list      ? "no variant is stored that fits these fields"
                                               : "nothing is stored under this key",
                                asked, policy);
  if (!found.response.has_head())
    return conclude(answer, "wait", Reason::kMiss, "a fetch of it is under way; who asks now waits for it");
  judge(found.response, found.purged, asked, policy, now, answer);
}

bool is_found(cache::Cache& cache, const caching::CacheKey& key, caching::Moment now) {
  return cache.find(key.text, cache.published(), now.steady).outcome == cache::Lookup::Outcome::found;
}

}   // namespace

json describe_terms(const proxy::Configuration& configuration, const routing::RouteEntry& route, AskedRequest& asked) {
  const Terms terms = terms_of(configuration, route, asked);
  json answer{{"policy", json()}, {"reason", json()}};
  if (terms.policy) answer["policy"] = *route.settings.cache;
  if (terms.key)
    answer.update(describe_key(terms.key->text));
  else if (terms.policy)
    answer["reason"] = std::string(caching::to_string(terms.bypassed));
  return answer;
}

json lookup(const proxy::Configuration& configuration, cache::Cache& cache, const json& question, caching::Moment now) {
  AskedRequest asked(configuration, question);
  if (!asked.fault().empty()) return {{"error", asked.fault()}};
  const routing::Matched matched = configuration.matcher.find(asked.facts());
  json answer{{"host", matched.host ? json(matched.host->settings.name) : json()},
              {"route", matched.route ? json(matched.route->settings.name) : json()},
              {"policy", json()},
              {"stored", json()}};
  if (!matched.route) {
    conclude(answer, "off", Reason::kNone, "no route takes it");
    return answer;
  }
  const Terms terms = terms_of(configuration, *matched.route, asked);
  if (!terms.policy) {
    conclude(answer, "off", Reason::kNone, "this route caches nothing");
    return answer;
  }
  answer["policy"] = *matched.route->settings.cache;
  if (!terms.key) {
    const bool reads = asked.head().method == http::Method::kGet || asked.head().method == http::Method::kHead;
    if (reads)
      conclude_without_any(answer, "bypass", terms.bypassed, "the request takes no part in caching", asked,
                           *terms.policy);
    else
      conclude(answer, "bypass", terms.bypassed, "the request takes no part in caching");
    return answer;
  }
  const bool in_slices = terms.slice_key && !proxy::is_stored_whole(cache, terms.key->text, now.steady) &&
                         is_found(cache, *terms.slice_key, now);
  const caching::CacheKey& used = in_slices ? *terms.slice_key : *terms.key;
  const std::string_view key = used.text;
  answer.update(describe_key(key));
  answer["primary_key"] = to_hex({reinterpret_cast<const uint8_t*>(key.data()), key.size()});
  look(cache, used, asked, *terms.policy, now, answer);
  return answer;
}

}   // namespace proxyd::worker
