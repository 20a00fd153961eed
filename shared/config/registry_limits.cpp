#include "shared/config/registry_types.h"

namespace proxyd::config::registry {
namespace {

// An empty list would be as none, which lets everyone in.
const ValueType kSomeCidrs{.kind = Kind::kList, .item = &kCidr, .least_items = 1};
const ObjectType kAccessList{"access_list",
                             {
                                 {"allow", &kSomeCidrs, "", "networks of clients; with it everyone else is denied"},
                                 {"deny", &kCidrs, "[]", "networks of clients; the longest prefix decides"},
                             }};
const ValueType kAccessListValue = object_of(kAccessList);

const ValueType kRate = text(Format::kRate);
const ValueType kRequestKey = text(Format::kRequestKey);
const ValueType kBurst{.kind = Kind::kInteger, .least = 0, .most = 1'000'000};
const ValueType kRateType{.kind = Kind::kWord, .words = {"bucket", "window"}};
const ValueType kRateCount{.kind = Kind::kWord, .words = {"all", "origin"}};
const ValueType kRateMode{.kind = Kind::kWord, .words = {"enforce", "observe"}};
const ValueType kRateStatus{.kind = Kind::kInteger, .least = 400, .most = 599};
const ValueType kName = text(Format::kName);
const ObjectType kRateLimit{
    "rate_limit",
    {
        {"key", &kRequestKey, "\"client_ip\"", "client_ip (/64 of IPv6), path, header:NAME, cookie:NAME, query:NAME"},
        {"fallback", &kRequestKey, "", "the key of requests without it; else those are not counted"},
        {"rate", &kRate, "", "requests in a time, as 50/s, 600/m or 100/10s", kRequired},
        {"burst", &kBurst, "0", "requests above the rate that a bucket holds"},
        {"type", &kRateType, "\"bucket\"", "a bucket that is filled at the rate, or a sliding window"},
        {"count", &kRateCount, "\"all\"", "all requests, or those that an origin is asked for"},
        {"mode", &kRateMode, "\"enforce\"", "observe: counted and logged, but let in"},
        {"except", &kName, "", "an access list: whom it allows is not counted"},
        {"status", &kRateStatus, "429", "of the answer to one too many"},
    }};
const ValueType kRateLimitValue = object_of(kRateLimit);

const ValueType kOctetRate = text(Format::kOctetRate);
const ValueType kSize{.kind = Kind::kSize};
const ObjectType kBandwidth{"bandwidth",
                            {
                                {"rate", &kOctetRate, "\"2MiB/s\"", "of the content of each response"},
                                {"after", &kSize, "\"10MiB\"", "so much of it leaves as fast as it can"},
                            }};

}   // namespace

const ValueType kAccessLists = map_of(kAccessListValue);
const ValueType kAccessChoice = text(Format::kName);
const ValueType kRateLimits = map_of(kRateLimitValue);
const ValueType kRateLimitChoice{
    .kind = Kind::kList, .item = &kName, .least_items = 1, .most_items = 8, .may_be_one = true};
const ValueType kBandwidthValue = object_of(kBandwidth);

}   // namespace proxyd::config::registry
