#include "shared/config/model.h"
#include "shared/config/registry_types.h"

namespace proxyd::config::registry {
namespace {

const ValueType kMemory{.kind = Kind::kSize, .least = kLeastCacheMemory, .most = kMostCacheMemory};
const ValueType kObjectSize{.kind = Kind::kSize, .least = 1024};
const ObjectType kCache{"cache",
                        {
                            {"memory", &kMemory, "", "what it may take: 512MiB, or the ceiling where that is less"},
                            {"max_object", &kObjectSize, "\"64MiB\"", "larger contents are not stored"},
                        }};

const ValueType kCacheMethod{.kind = Kind::kWord, .words = {"GET", "HEAD", "POST"}};
const ValueType kCacheMethods{.kind = Kind::kList, .item = &kCacheMethod, .least_items = 1, .most_items = 3};
const ValueType kLifetime{.kind = Kind::kDuration};
const ValueType kLifetimes = map_of(kLifetime, Format::kStoredStatus);

const ValueType kParameterPattern = text(Format::kParameterPattern);
const ValueType kParameterPatterns{.kind = Kind::kList, .item = &kParameterPattern, .most_items = 64};
const ValueType kCookiePattern = text(Format::kCookiePattern);
const ValueType kCookiePatterns{.kind = Kind::kList, .item = &kCookiePattern, .most_items = 64};
const ValueType kPathPattern = text(Format::kPathPattern);
const ValueType kPathPatterns{.kind = Kind::kList, .item = &kPathPattern, .most_items = 64};
const ValueType kField = text(Format::kToken);
const ValueType kFields{.kind = Kind::kList, .item = &kField, .most_items = 64};
const ValueType kFewFields{.kind = Kind::kList, .item = &kField, .most_items = 8};

const ObjectType kKeyQuery{"query",
                           {
                               {"only", &kParameterPatterns, "", "these parameters, or prefixes that end in *"},
                               {"except", &kParameterPatterns, "", "all but these"},
                           }};
const ValueType kKeyQueryValue = object_of(kKeyQuery);
const ObjectType kKey{"key",
                      {
                          {"query", &kKeyQueryValue, "{}", "which parameters are in the key: all, unless said"},
                          {"headers", &kFields, "[]", "request fields whose values are in the key"},
                          {"cookies", &kCookiePatterns, "[]", "cookies that are, or prefixes that end in *"},
                      }};
const ObjectType kBypass{"bypass",
                         {
                             {"cookies", &kCookiePatterns, "[]", "names, or prefixes that end in *"},
                             {"headers", &kFields, "[]", "request fields"},
                             {"query", &kParameterPatterns, "[]", "parameters, or prefixes that end in *"},
                             {"paths", &kPathPatterns, "[]", "exact paths, or prefixes that end in *"},
                         }};
const ValueType kWait{.kind = Kind::kDuration, .least = 1};
const ObjectType kCollapse{"collapse",
                           {
                               {"timeout", &kWait, "\"5s\"", "how long a request waits for another's fetch"},
                           }};
const ObjectType kTags{"tags",
                       {
                           {"headers", &kFewFields, "[\"Surrogate-Key\",\"Cache-Tag\",\"xkey\"]",
                            "response fields whose members are tags"},
                           {"expose", &kBoolean, "false", "clients see those fields"},
                       }};

const ValueType kKeyValue = object_of(kKey);
const ValueType kBypassValue = object_of(kBypass);
const ValueType kCollapseValue = object_of(kCollapse);
const ValueType kTagsValue = object_of(kTags);
const ValueType kIgnored{.kind = Kind::kWord, .words = {"Cache-Control", "Expires", "Pragma", "Vary"}};
const ValueType kIgnoredFields{.kind = Kind::kList, .item = &kIgnored, .most_items = 4};
const ValueType kSetCookie{.kind = Kind::kWord, .words = {"false", "strip"}};
const ValueType kRange{.kind = Kind::kWord, .words = {"full", "slice", "pass"}};
const ValueType kSliceSize{.kind = Kind::kSize, .least = 1024};

const ObjectType kCachePolicy{
    "cache_policy",
    {
        {"methods", &kCacheMethods, "[\"GET\",\"HEAD\"]", "requests that the cache answers, and POST: that it stores"},
        {"default_ttl", &kLifetimes, "{}", "status: lifetime, where the origin sends no freshness"},
        {"min_ttl", &kMaybeDuration, "\"off\"", "the least lifetime of what has one"},
        {"max_ttl", &kMaybeDuration, "\"off\"", "the longest lifetime"},
        {"heuristic", &kSwitch, "\"off\"", "a lifetime by Last-Modified where the origin sends no freshness"},
        {"key", &kKeyValue, "{}", "what tells answers apart beside scheme, host and path"},
        {"bypass", &kBypassValue, "{}", "requests with any of these go to the origin: neither looked up nor stored"},
        {"ignore", &kIgnoredFields, "[]", "of the origin's fields: Cache-Control, Expires, Pragma, Vary"},
        {"ignore_cookies", &kBoolean, "false", "cookies that the policy does not name change no answer"},
        {"store_set_cookie", &kSetCookie, "false", "false: what sets a cookie is not stored; strip: stored without it"},
        {"range", &kRange, "\"full\"", "full fetches the whole, slice parts of it, pass asks the origin"},
        {"slice", &kSliceSize, "\"4MiB\"", "the size of a part"},
        {"stale_while_revalidate", &kMaybeDuration, "\"off\"", "served stale meanwhile, unless the origin says"},
        {"stale_if_error", &kMaybeDuration, "\"off\"", "served stale when the origin fails, unless the origin says"},
        {"collapse", &kCollapseValue, "{}", "one fetch for all who want the same"},
        {"targeted", &kFewFields, "[\"Proxyd-Cache-Control\",\"CDN-Cache-Control\"]",
         "fields that go before Cache-Control (RFC 9213), the first one that is there"},
        {"tags", &kTagsValue, "{}", "names to purge by"},
        {"max_object", &kObjectSize, "", "that of the cache, unless given"},
    }};
const ValueType kCachePolicyValue = object_of(kCachePolicy);

const ValueType kPurgeMode{.kind = Kind::kWord, .words = {"hard", "soft"}};
const ObjectType kPurge{"purge",
                        {
                            {"allow", &kCidrs, "[]", "networks of the peers that may; with token_file both must hold"},
                            {"token_file", &kFilePath, "", "names the file of the token that a PURGE must carry"},
                            {"mode", &kPurgeMode, "\"hard\"", "hard: never served again; soft: stale"},
                            {"tags", &kFewFields, "[\"Surrogate-Key\",\"Cache-Tag\",\"X-Cache-Tags\",\"xkey\"]",
                             "request fields whose members are tags to purge"},
                        }};

}   // namespace

const ValueType kCacheValue = object_of(kCache);
const ValueType kCachePolicies = map_of(kCachePolicyValue);
const ValueType kCacheChoice{.kind = Kind::kText, .may_be_off = true, .format = Format::kName};
const ValueType kSplitCache{.kind = Kind::kWord, .words = {"separate", "shared"}};
const ValueType kPurgeValue = object_of(kPurge);

}   // namespace proxyd::config::registry
