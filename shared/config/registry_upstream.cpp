#include "shared/config/registry_types.h"

namespace proxyd::config::registry {
namespace {

const ValueType kRetries{.kind = Kind::kInteger, .least = 0, .most = 10};
const ValueType kPercent{.kind = Kind::kInteger, .least = 0, .most = 100};
const ValueType kRetryCondition = text(Format::kRetryCondition);
const ValueType kRetryConditions = list_of(kRetryCondition);
const ObjectType kRetry{
    "retry",
    {
        {"retries", &kRetries, "1", "tries after the first"},
        {"when", &kRetryConditions, "[\"connect_error\",\"reset_before_response\"]",
         "connect_error, reset_before_response, or a status"},
        {"methods", &kMethods, "[\"GET\",\"HEAD\",\"OPTIONS\"]", "what may be sent again after it reached the origin"},
        {"budget_percent", &kPercent, "20", "retries running at once, of all requests running"},
    }};

const ValueType kTargetAddress = text(Format::kTargetAddress);
const ValueType kWeight{.kind = Kind::kInteger, .least = 0, .most = 10000};
const ObjectType kTarget{
    "target",
    {
        {"address", &kTargetAddress, "", "host:port, unix:/path or srv:_http._tcp.name", kRequired},
        {"weight", &kWeight, "100", "of each address; 100 is one share"},
        {"backup", &kBoolean, "false", "used when no other can be"},
        {"max_connections", &kMaybeCount, "\"off\"", "requests at once to each address, from all workers"},
        {"slow_start", nullptr},
        {"labels", nullptr},
        {"lease", nullptr, "", "is for targets that the API adds to an upstream with membership: dynamic; remove it"},
    }};
const ValueType kTargetValue = object_of(kTarget);
const ValueType kTargets{.kind = Kind::kMap, .item = &kTargetValue, .most_items = 4096};

const ValueType kMaxIdle{.kind = Kind::kInteger, .least = 0, .most = 100'000};
const ObjectType kKeepalive{"keepalive",
                            {
                                {"max_idle", &kMaxIdle, "64", "idle connections to a target, in one worker"},
                                {"idle_timeout", &kMaybeDuration, "\"1m\"", ""},
                                {"max_requests", &kMaybeCount, "10000", "on one connection"},
                                {"max_age", &kMaybeDuration, "\"off\"", "of a connection"},
                            }};
const ValueType kKeepaliveValue = object_of(kKeepalive);
const ValueType kFamily{.kind = Kind::kWord, .words = {"any", "v4", "v6"}};
const ValueType kTtl{.kind = Kind::kDuration, .least = 1000, .most = 86'400'000};
const ObjectType kResolve{"resolve",
                          {
                              {"family", &kFamily, "\"any\"", "addresses used: any, v4 or v6"},
                              {"min_ttl", &kTtl, "\"1s\"", "an answer is good for as long, whatever it says"},
                              {"max_ttl", &kTtl, "\"5m\"", "and for no longer"},
                          }};
const ValueType kResolveValue = object_of(kResolve);
const ValueType kBalance{
    .kind = Kind::kWord, .words = {"p2c", "round_robin"}, .later_words = {"least_requests", "consistent_hash"}};
const ValueType kMembership{.kind = Kind::kWord, .words = {"declared", "dynamic"}};
const ValueType kUpstreamProtocol{.kind = Kind::kWord, .words = {"h1", "h2", "h2c", "auto"}};
const ValueType kUpstreamHost = text(Format::kUpstreamHost);
const ObjectType kUpstream{
    "upstream",
    {
        {"balance", &kBalance, "\"p2c\"", "p2c or round_robin"},
        {"hash_key", nullptr},
        {"hash_fallback", nullptr},
        {"targets", &kTargets, "{}", "id: target"},
        {"membership", &kMembership, "\"declared\"", "declared here, or dynamic: by the API alone"},
        {"protocol", &kUpstreamProtocol, "\"h1\"", "h1, h2c, or with tls h2 or auto (target's choice)"},
        {"tls", &kUpstreamTlsValue, "", "in the clear, unless given"},
        {"host", &kUpstreamHost, "\"keep\"", "keep, target, or a name"},
        {"proxy_protocol", nullptr},
        {"keepalive", &kKeepaliveValue, "{}", "connections kept for reuse"},
        {"health", nullptr},
        {"retry", &kRetryValue, "{}", "when a request may be sent again"},
        {"queue", nullptr},
        {"slow_start", nullptr},
        {"sticky", nullptr},
        {"resolve", &kResolveValue, "{}", "names of targets"},
        {"panic_threshold", nullptr},
    }};

const ValueType kUpstreamValue = object_of(kUpstream);

}   // namespace

const ValueType kRetryValue = object_of(kRetry);
const ValueType kUpstreams = map_of(kUpstreamValue);

}   // namespace proxyd::config::registry
