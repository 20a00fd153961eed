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
        {"slow_start", &kMaybeDuration, "", "the upstream's, unless given"},
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
const ValueType kBalance{.kind = Kind::kWord, .words = {"p2c", "round_robin", "least_requests", "consistent_hash"}};
const ValueType kHashKey = text(Format::kRequestKey);

const ValueType kCheckType{.kind = Kind::kWord, .words = {"http", "https", "tcp", "grpc"}};
const ValueType kCheckPath = text(Format::kPath);
const ValueType kCheckHost = text(Format::kCheckHost);
const ValueType kCheckPort{.kind = Kind::kInteger, .least = 1, .most = 65535};
const ValueType kCheckHeader{.kind = Kind::kFieldValue};
const ValueType kCheckHeaders{
    .kind = Kind::kMap, .item = &kCheckHeader, .key_format = Format::kFieldName, .most_items = 32};
const ValueType kService = text(Format::kFieldContent);
const ValueType kStatusRange = text(Format::kStatusRange);
const ValueType kStatusRanges{.kind = Kind::kList, .item = &kStatusRange, .least_items = 1, .most_items = 16};
const ValueType kBodyPart = text(Format::kNotEmpty);
const ValueType kInterval{.kind = Kind::kDuration, .least = 100, .most = 86'400'000};
const ValueType kCheckTimeout{.kind = Kind::kDuration, .least = 10, .most = 60'000};
const ValueType kInARow{.kind = Kind::kInteger, .least = 1, .most = 100};
const ObjectType kActive{"active",
                         {
                             {"type", &kCheckType, "\"http\"", "http (as requests go), https, tcp or grpc"},
                             {"path", &kCheckPath, "\"/\"", "what is asked for, with its query"},
                             {"host", &kCheckHost, "", "Host of the request; the target's address, unless given"},
                             {"port", &kCheckPort, "", "the target's own, unless given"},
                             {"headers", &kCheckHeaders, "{}", "fields of the request"},
                             {"service", &kService, "\"\"", "of grpc.health.v1; empty: the whole server"},
                             {"expect_status", &kStatusRanges, "[\"200-399\"]", "statuses of a target that is well"},
                             {"expect_body", &kBodyPart, "", "found in the first 64KiB of its content"},
                             {"interval", &kInterval, "\"5s\"", "between checks, give or take a fifth"},
                             {"timeout", &kCheckTimeout, "\"2s\"", "of a check, from the connect to its last octet"},
                             {"rise", &kInARow, "2", "passed in a row to be up again"},
                             {"fall", &kInARow, "3", "failed in a row to be down"},
                         }};
const ValueType kActiveValue = object_of(kActive);
const ValueType kFailures{.kind = Kind::kInteger, .least = 1, .most = 10'000};
const ValueType kErrorPercent{.kind = Kind::kInteger, .may_be_off = true, .least = 1, .most = 100};
const ObjectType kPassive{"passive",
                          {
                              {"failures", &kFailures, "5", "in a row, within the window"},
                              {"window", &kInterval, "\"10s\"", ""},
                              {"error_percent", &kErrorPercent, "\"off\"", "of at least 20 requests in the window"},
                              {"eject_for", &kInterval, "\"30s\"", "times how often it was ejected"},
                              {"max_ejected_percent", &kPercent, "50", "of the targets at once; never the last one"},
                          }};
const ValueType kPassiveValue{.kind = Kind::kObject, .may_be_off = true, .object = &kPassive};
const ObjectType kHealth{"health",
                         {
                             {"active", &kActiveValue, "", "targets are asked how they are"},
                             {"passive", &kPassiveValue, "{}", "requests tell how targets are"},
                         }};
const ValueType kHealthValue = object_of(kHealth);

const ValueType kQueueSize{.kind = Kind::kInteger, .least = 1, .most = 100'000};
const ValueType kQueueWait{.kind = Kind::kDuration, .least = 1, .most = 600'000};
const ObjectType kQueue{"queue",
                        {
                            {"size", &kQueueSize, "100", "requests that wait, in all workers"},
                            {"wait", &kQueueWait, "\"1s\"", "how long one waits"},
                        }};
const ValueType kQueueValue{.kind = Kind::kObject, .may_be_off = true, .object = &kQueue};
const ValueType kCookieName = text(Format::kToken);
const ObjectType kSticky{"sticky",
                         {
                             {"cookie", &kCookieName, "", "its name", kRequired},
                             {"ttl", &kMaybeDuration, "\"off\"", "how long browsers keep it; off: until they end"},
                         }};
const ValueType kStickyValue = object_of(kSticky);
const ValueType kPanic{.kind = Kind::kInteger, .may_be_off = true, .least = 1, .most = 100};
const ValueType kMembership{.kind = Kind::kWord, .words = {"declared", "dynamic"}};
const ValueType kUpstreamProtocol{.kind = Kind::kWord, .words = {"h1", "h2", "h2c", "auto"}};
const ValueType kUpstreamHost = text(Format::kUpstreamHost);
const ObjectType kUpstream{
    "upstream",
    {
        {"balance", &kBalance, "\"p2c\"", "p2c, round_robin, least_requests or consistent_hash"},
        {"hash_key", &kHashKey, "", "client_ip, path, header:NAME, cookie:NAME or query:NAME"},
        {"hash_fallback", &kHashKey, "\"client_ip\"", "of requests that have no hash_key"},
        {"targets", &kTargets, "{}", "id: target"},
        {"membership", &kMembership, "\"declared\"", "declared here, or dynamic: by the API alone"},
        {"protocol", &kUpstreamProtocol, "\"h1\"", "h1, h2c, or with tls h2 or auto (target's choice)"},
        {"tls", &kUpstreamTlsValue, "", "in the clear, unless given"},
        {"host", &kUpstreamHost, "\"keep\"", "keep, target, or a name"},
        {"proxy_protocol", nullptr},
        {"keepalive", &kKeepaliveValue, "{}", "connections kept for reuse"},
        {"health", &kHealthValue, "{}", "who gets requests"},
        {"retry", &kRetryValue, "{}", "when a request may be sent again"},
        {"queue", &kQueueValue, "{}", "requests wait when all targets are at max_connections"},
        {"slow_start", &kMaybeDuration, "\"off\"", "a target that joins or comes back gets its share bit by bit"},
        {"sticky", &kStickyValue, "", "a client goes where it went, by a cookie"},
        {"resolve", &kResolveValue, "{}", "names of targets"},
        {"panic_threshold", &kPanic, "\"off\"", "percent of targets; when fewer are well, all get requests"},
    }};

const ValueType kUpstreamValue = object_of(kUpstream);

}   // namespace

const ValueType kRetryValue = object_of(kRetry);
const ValueType kUpstreams = map_of(kUpstreamValue);

}   // namespace proxyd::config::registry
