#include "shared/config/registry_types.h"

namespace proxyd::config {
namespace {

using namespace registry;

const ValueType kMaybeSize{.kind = Kind::kSize, .may_be_off = true};
const ValueType kMaybeLine{.kind = Kind::kSize, .may_be_off = true, .least = 64};
const ValueType kMaybeClientCount{.kind = Kind::kCount, .may_be_off = true, .least = 1, .most = 65'535};
const ValueType kAnyText = text(Format::kAny);
const ValueType kFieldContent = text(Format::kFieldContent);
const ValueType kLocation = text(Format::kLocation);
const ValueType kPathTemplate = text(Format::kPathTemplate);
const ValueType kRegex = text(Format::kRegex);
const ValueType kPath = text(Format::kPath);
const ValueType kName = text(Format::kName);
const ValueType kToken = text(Format::kToken);
const ValueType kNames = list_of(kName);
const ValueType kStatus{.kind = Kind::kInteger, .least = 200, .most = 599};

// In `defaults` these have defaults of their own. In a host or a route they have none: what is not said there is
// inherited, and what is said counts even where it equals the default.
const std::vector<Key> kTimeoutKeys = {
    {"client_header", &kMaybeDuration, "\"10s\"", "from the first octet of a request's head to its end", kInherited},
    {"client_body", &kMaybeDuration, "\"30s\"", "a gap in a request's content, under 256 B/s", kInherited},
    {"client_write", &kMaybeDuration, "\"30s\"", "a gap in which the client takes less than 256 B/s", kInherited},
    {"keepalive", &kMaybeDuration, "\"75s\"", "a client connection without a request", kInherited},
    {"connect", &kMaybeDuration, "\"2s\"", "a connection to a target", kInherited},
    {"first_byte", &kMaybeDuration, "\"1m\"", "from the request sent to the head of the response", kInherited},
    {"between_bytes", &kMaybeDuration, "\"1m\"", "a gap in the response's content", kInherited},
    {"tunnel", &kMaybeDuration, "\"1h\"", "a tunnel without an octet either way", kInherited},
    {"total", &kMaybeDuration, "\"off\"", "the whole request", kInherited},
    {"deadline_header", &kToken, "", "a request field that bounds total, as 250ms, 2s or 2 (seconds)", kInherited},
};

const std::vector<Key> kLimitKeys = {
    {"request_line", &kMaybeLine, "\"8KiB\"", "the request line; more is 414", kInherited},
    {"request_headers", &kMaybeLine, "\"32KiB\"", "the header section; more is 431", kInherited},
    {"header_count", &kMaybeCount, "100", "header lines; more is 431", kInherited},
    {"request_body", &kMaybeSize, "\"off\"", "a request's content; more is 413", kInherited},
    {"response_headers", &kMaybeLine, "\"64KiB\"", "a response's header section; more is 502", kInherited},
    {"connections_per_client", &kMaybeClientCount, "\"off\"", "requests at once of one client; more is 503",
     kInherited},
};

std::vector<Key> outermost(std::vector<Key> keys) {
  for (Key& key : keys) key.flags = static_cast<uint8_t>((key.flags & ~kInherited) | kOutermost);
  return keys;
}
std::vector<Key> without_defaults(std::vector<Key> keys) {
  for (Key& key : keys) key.default_json = {};
  return keys;
}

const ObjectType kTimeouts{"timeouts", outermost(kTimeoutKeys)};
const ObjectType kInnerTimeouts{"timeouts", without_defaults(kTimeoutKeys)};
const ObjectType kLimits{"limits", outermost(kLimitKeys)};
const ObjectType kInnerLimits{"limits", without_defaults(kLimitKeys)};

const ValueType kFieldValue{.kind = Kind::kFieldValue};
const ValueType kFieldValues = map_of(kFieldValue, Format::kFieldName);
const ValueType kFieldPattern = text(Format::kFieldPattern);
const ValueType kFieldPatterns = list_of(kFieldPattern);
const ObjectType kFieldEdits{"field_edits",
                             {
                                 {"set", &kFieldValues, "{}", "replaces the field", kInherited},
                                 {"add", &kFieldValues, "{}", "adds a line beside those there", kInherited},
                                 {"default", &kFieldValues, "{}", "sets the field where it is absent", kInherited},
                                 {"remove", &kFieldPatterns, "[]", "names, or prefixes that end in *", kInherited},
                             }};
const ValueType kFieldEditsValue = object_of(kFieldEdits);
const ObjectType kHeaders{"headers",
                          {
                              {"request", &kFieldEditsValue, "{}", "of the request to the target", kInherited},
                              {"response", &kFieldEditsValue, "{}", "of every answer to the client", kInherited},
                          }};

const ObjectType kRewrite{"rewrite",
                          {
                              {"strip_prefix", &kPath, "", "whole segments taken off the front of the path"},
                              {"add_prefix", &kPath, "", "put before the path"},
                              {"path", &kPathTemplate, "", "the new path"},
                          }};

const ValueType kTimeoutsValue = object_of(kTimeouts);
const ValueType kLimitsValue = object_of(kLimits);
const ValueType kHeadersValue = object_of(kHeaders);
const ValueType kRewriteValue = object_of(kRewrite);

const ValueType kInnerTimeoutsValue = object_of(kInnerTimeouts);
const ValueType kInnerLimitsValue = object_of(kInnerLimits);

// The keys that host and route share, behind their own.
std::vector<Key> with_keys_on_the_way(std::vector<Key> keys) {
  const std::vector<Key> shared = {
      {"cache", &kCacheChoice, "", "a cache policy, or off", kInherited},
      {"rewrite", &kRewriteValue, "", "the path that the target sees", kInherited},
      {"headers", &kHeadersValue, "{}", "edits of fields", kInherited},
      {"access", &kAccessChoice, "", "an access list; those of defaults and host apply as well", kInherited},
      {"auth", &kAuthValue, "", "what clients must show, besides what the host asks", kInherited},
      {"rate_limit", &kRateLimitChoice, "", "a rate limit, or several; those of defaults and host apply too",
       kInherited},
      {"limits", &kInnerLimitsValue, "{}", "sizes and counts", kInherited},
      {"timeouts", &kInnerTimeoutsValue, "{}", "deadlines", kInherited},
      {"retry", &kRetryValue, "", "the upstream's, unless given", kInherited},
      {"compress", nullptr},
      {"mirror", nullptr},
      {"bandwidth", &kBandwidthValue, "", "how fast the content of a response leaves", kInherited},
      {"websocket", nullptr},
      {"raw_path", &kBoolean, "", "forward the path as sent", kInherited},
  };
  keys.insert(keys.end(), shared.begin(), shared.end());
  return keys;
}

const ObjectType kDefaults{
    "defaults",
    {
        {"trusted_proxies", &kCidrs, "[]", "whose forwarding fields and PROXY header are believed"},
        {"timeouts", &kTimeoutsValue, "{}", "deadlines", kOutermost},
        {"limits", &kLimitsValue, "{}", "sizes and counts", kOutermost},
        {"compression", nullptr},
        {"cache_status", &kSwitch, "\"on\"", "answers carry Cache-Status (RFC 9211)"},
        {"cache", &kCacheChoice, "\"off\"", "a cache policy, or off", kOutermost},
        {"rewrite", &kRewriteValue, "", "the path that the target sees", kOutermost},
        {"headers", &kHeadersValue, "{}", "edits of fields", kOutermost},
        {"access", &kAccessChoice, "", "an access list; those of hosts and routes apply as well", kOutermost},
        {"auth", &kAuthValue, "", "what clients must show", kOutermost},
        {"rate_limit", &kRateLimitChoice, "", "a rate limit, or several; those of hosts and routes apply too",
         kOutermost},
        {"retry", &kRetryValue, "", "the upstreams' own, unless given", kOutermost},
        {"compress", nullptr},
        {"mirror", nullptr},
        {"bandwidth", &kBandwidthValue, "", "how fast the content of a response leaves", kOutermost},
        {"websocket", nullptr},
        {"raw_path", &kBoolean, "false", "forward the path as sent", kOutermost},
    }};

const ValueType kCondition{.kind = Kind::kCondition};
const ValueType kConditions = map_of(kCondition, Format::kNotEmpty);
const ValueType kFieldConditions = map_of(kCondition, Format::kToken);
const ValueType kHostPattern = text(Format::kHostPattern);
const ValueType kHostPatterns{.kind = Kind::kList, .item = &kHostPattern, .least_items = 1};
const ValueType kScheme{.kind = Kind::kWord, .words = {"http", "https"}};
const ObjectType kMatch{"match",
                        {
                            {"path", &kPath, "", "exactly this path"},
                            {"path_prefix", &kPath, "", "this path and what is below it, by whole segments"},
                            {"path_regex", &kRegex, "", "an RE2 expression, anywhere in the path unless anchored"},
                            {"methods", &kMethods, "[]", "one of these methods"},
                            {"host", &kHostPattern, "", "a name or a *. wildcard"},
                            {"scheme", &kScheme, "", "http or https"},
                            {"header", &kFieldConditions, "{}", "what must hold of header fields"},
                            {"query", &kConditions, "{}", "… of query parameters"},
                            {"cookie", &kConditions, "{}", "… of cookies"},
                            {"client", &kCidrs, "[]", "networks of the client"},
                        }};

const ValueType kShare{.kind = Kind::kInteger, .least = 0, .most = 1'000'000};
const ValueType kShares{.kind = Kind::kMap, .item = &kShare, .least_items = 1, .most_items = 64};
const ValueType kSplitKey = text(Format::kSplitKey);
const ObjectType kSplit{
    "split",
    {
        {"upstreams", &kShares, "", "name: share", kRequired},
        {"by", &kSplitKey, "\"client_ip\"", "client_ip, header:NAME, cookie:NAME or query:NAME"},
        {"cache", &kSplitCache, "\"separate\"", "what one upstream answered serves for all: shared"},
    }};

const ValueType kRedirectStatus{.kind = Kind::kInteger, .least = 301, .most = 308};
const ObjectType kRedirect{"redirect",
                           {
                               {"to", &kLocation, "", "the Location", kRequired},
                               {"status", &kRedirectStatus, "308", "301, 302, 303, 307 or 308"},
                           }};
const ObjectType kRespond{"respond",
                          {
                              {"status", &kStatus, "200", ""},
                              {"body", &kAnyText, "\"\"", ""},
                              {"content_type", &kFieldContent, "\"text/plain; charset=utf-8\"", ""},
                          }};

const ValueType kMatchValue = object_of(kMatch);
const ValueType kSplitValue = object_of(kSplit);
const ValueType kRedirectValue = object_of(kRedirect);
const ValueType kRespondValue = object_of(kRespond);
const ObjectType kRoute{"route", with_keys_on_the_way({
                                     {"name", &kName, "", "unique in its host", kRequired},
                                     {"match", &kMatchValue, "{}", "when it applies"},
                                     {"upstream", &kName, "", "where the request goes"},
                                     {"split", &kSplitValue, "", "… by shares"},
                                     {"redirect", &kRedirectValue, "", "an answer with a Location"},
                                     {"respond", &kRespondValue, "", "a fixed answer"},
                                     {"ready", &kBoolean, "false", "answers as /readyz"},
                                 })};

const ValueType kRouteValue = object_of(kRoute);
const ValueType kRoutes = list_of(kRouteValue);
const ValueType kErrorPages = map_of(kFilePath, Format::kErrorStatus);
const ObjectType kHost{"host", with_keys_on_the_way({
                                   {"names", &kHostPatterns, "", "exact, *. at any depth, or \"*\"", kRequired},
                                   {"listeners", &kNames, "[]", "all, unless named"},
                                   {"routes", &kRoutes, "[]", "in order"},
                                   {"first_match", &kBoolean, "false", "strictly by file order"},
                                   {"force_https", &kForceHttpsValue, "", "requests by http are sent to https"},
                                   {"client_auth", &kClientAuthValue, "", "clients show a certificate"},
                                   {"purge", &kPurgeValue, "", "turns on the PURGE method"},
                                   {"maintenance", &kBoolean, "false", "every request gets 503"},
                                   {"error_pages", &kErrorPages, "{}", "status: file, for answers that we make"},
                               })};

const ValueType kListenAddress = text(Format::kListenAddress);
const ValueType kListenAddresses{.kind = Kind::kList, .item = &kListenAddress, .least_items = 1, .most_items = 16};
const ValueType kProxyProtocol{.kind = Kind::kWord, .words = {"off", "v1", "v2", "any"}};
const ValueType kBacklog{.kind = Kind::kInteger, .least = 1, .most = 65535};
const ValueType kUnderscores{.kind = Kind::kWord, .words = {"reject", "drop", "pass"}};
const ObjectType kListener{"listener",
                           {
                               {"address", &kListenAddress, "", "one address", kRebind},
                               {"addresses", &kListenAddresses, "", "host:port, :port or unix:/path", kRebind},
                               {"protocols", &kProtocols, "", "h2 and h1 with tls, else h1, unless said; or h2c"},
                               {"tls", &kListenerTlsValue, "", "connections are encrypted"},
                               {"proxy_protocol", &kProxyProtocol, "\"off\"", "a PROXY header from trusted proxies"},
                               {"backlog", &kBacklog, "4096", "", kRebind},
                               {"freebind", &kBoolean, "false", "bind an address that is not there yet", kRebind},
                               {"max_connections", &kMaybeCount, "\"off\"", "open at once, in all workers"},
                               {"underscore_fields", &kUnderscores, "\"reject\"", "field names with an underscore"},
                           }};

const ValueType kSink{.kind = Kind::kWord, .words = {"file", "stdout"}};
const ValueType kLogFormat{.kind = Kind::kWord, .words = {"json", "combined"}};
const ValueType kPaths = list_of(kPath);
const ObjectType kUnless{"unless", {{"path", &kPaths, "[]", "exact paths that are not logged"}}};
const ValueType kUnlessValue = object_of(kUnless);
const ObjectType kAccessLog{"access_log",
                            {
                                {"to", &kSink, "", "file or stdout", kRequired},
                                {"file", &kFilePath, "", ""},
                                {"format", &kLogFormat, "\"json\"", ""},
                                {"unless", &kUnlessValue, "{}", ""},
                            }};
const ValueType kAccessLogValue = object_of(kAccessLog);
const ValueType kAccessLogs{.kind = Kind::kList, .item = &kAccessLogValue, .most_items = 8};
const ValueType kNotEmpty = text(Format::kNotEmpty);
const ValueType kParameters = list_of(kNotEmpty);
const ValueType kErrorSink{.kind = Kind::kWord, .words = {"stderr", "file"}};
const ValueType kLevel{.kind = Kind::kWord, .words = {"debug", "info", "warning", "error"}};
const ObjectType kErrorLog{"error_log",
                           {
                               {"to", &kErrorSink, "\"stderr\"", ""},
                               {"file", &kFilePath, "", ""},
                               {"level", &kLevel, "\"info\"", ""},
                           }};
const ValueType kErrorLogValue = object_of(kErrorLog);
const ObjectType kLogging{
    "logging",
    {
        {"access", &kAccessLogs, "[]", "where a record of each request goes"},
        {"redact_query", &kParameters, "[\"token\",\"key\",\"password\",\"signature\",\"code\",\"access_token\"]",
         "parameters whose values are not logged"},
        {"error", &kErrorLogValue, "{}", "what the program says of itself"},
    }};

const ValueType kVersion{.kind = Kind::kInteger, .least = 1, .most = 1};
const ValueType kDefaultsValue = object_of(kDefaults);
const ValueType kListenerValue = object_of(kListener);
const ValueType kHostValue = object_of(kHost);
const ValueType kLoggingValue = object_of(kLogging);
const ValueType kListeners{.kind = Kind::kMap, .item = &kListenerValue, .most_items = 64};
const ValueType kHosts = map_of(kHostValue);
const ObjectType kDocument{"document",
                           {
                               {"version", &kVersion, "", "of the document: 1", kRequired},
                               {"defaults", &kDefaultsValue, "{}", "what hosts and routes inherit"},
                               {"listeners", &kListeners, "{}", "where clients connect", kRebind},
                               {"certificates", &kCertificates, "{}", "what servers show of themselves, and its keys"},
                               {"cache", &kCacheValue, "{}", "of all workers together"},
                               {"cache_policies", &kCachePolicies, "{}", "what may be stored, and for how long"},
                               {"rate_limits", &kRateLimits, "{}", "how often requests with one key may come"},
                               {"access_lists", &kAccessLists, "{}", "which clients may ask"},
                               {"upstreams", &kUpstreams, "{}", "where requests go"},
                               {"hosts", &kHosts, "{}", "sites and their routes"},
                               {"logging", &kLoggingValue, "{}", ""},
                           }};

}   // namespace

const ObjectType& document_type() { return kDocument; }

}   // namespace proxyd::config
