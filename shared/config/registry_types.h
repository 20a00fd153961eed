#pragma once

#include "shared/config/schema.h"

namespace proxyd::config::registry {

// What the parts of the registry are written with. Constants keep each other's addresses only, so that the order in
// which they are made does not matter.
using Kind = ValueKind;
using Format = TextFormat;

inline ValueType text(Format format) { return {.kind = Kind::kText, .format = format}; }
inline ValueType list_of(const ValueType& item) { return {.kind = Kind::kList, .item = &item}; }
inline ValueType map_of(const ValueType& item, Format key = Format::kName) {
  return {.kind = Kind::kMap, .item = &item, .key_format = key};
}
inline ValueType object_of(const ObjectType& object) { return {.kind = Kind::kObject, .object = &object}; }

inline const ValueType kMaybeDuration{.kind = Kind::kDuration, .may_be_off = true, .least = 1};
inline const ValueType kMaybeCount{.kind = Kind::kCount, .may_be_off = true, .least = 1};
inline const ValueType kBoolean{.kind = Kind::kBoolean};
inline const ValueType kSwitch{.kind = Kind::kWord, .words = {"on", "off"}};
inline const ValueType kCidr = text(Format::kCidr);
inline const ValueType kCidrs = list_of(kCidr);
inline const ValueType kFilePath = text(Format::kFilePath);
inline const ValueType kMethod = text(Format::kMethod);
inline const ValueType kMethods = list_of(kMethod);

// The cache's part.
extern const ValueType kCacheValue;      // `cache` of the document
extern const ValueType kCachePolicies;   // `cache_policies`
extern const ValueType kCacheChoice;     // `cache` on the way: a policy, or off
extern const ValueType kSplitCache;      // `cache` of a split
extern const ValueType kPurgeValue;      // `purge` of a host

// That of who may ask.
extern const ValueType kAuthValue;   // `auth` on the way

// That of TLS.
extern const ValueType kCertificates;       // `certificates` of the document
extern const ValueType kListenerTlsValue;   // `tls` of a listener
extern const ValueType kUpstreamTlsValue;   // `tls` of an upstream
extern const ValueType kClientAuthValue;    // `client_auth` of a host
extern const ValueType kForceHttpsValue;    // `force_https` of a host
extern const ValueType kProtocols;          // `protocols` of a listener

// That of limits.
extern const ValueType kAccessLists;       // `access_lists` of the document
extern const ValueType kAccessChoice;      // `access` on the way
extern const ValueType kRateLimits;        // `rate_limits` of the document
extern const ValueType kRateLimitChoice;   // `rate_limit` on the way
extern const ValueType kBandwidthValue;    // `bandwidth` on the way

// That of upstreams.
extern const ValueType kUpstreams;    // `upstreams` of the document
extern const ValueType kRetryValue;   // `retry` on the way

}   // namespace proxyd::config::registry
