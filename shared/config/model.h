#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/config/model_upstream.h"
#include "shared/config/model_values.h"

// The configuration document as plain values: what `decode` makes of canonical JSON and what master and worker compile
// from. Values only, no behaviour, no pointer; any process. Inheritance is already resolved: a Route carries the
// timeouts, limits, header edits and retry rules that hold for it (defaults over host to route, the inner one wins).
// An empty optional duration, size or count is `off`.
namespace proxyd::config {

struct Timeouts {
  MaybeDuration client_header = seconds(10);   // absolute, from the first byte of a head to its end
  MaybeDuration client_body = seconds(30);     // a gap of request content below 256 B/s
  MaybeDuration client_write = seconds(30);    // a gap in which the client takes less than 256 B/s
  MaybeDuration keepalive = seconds(75);       // a client connection without a request
  MaybeDuration connect = seconds(2);
  MaybeDuration first_byte = seconds(60);       // request sent, until the head of the final response
  MaybeDuration between_bytes = seconds(60);    // a gap of response content
  MaybeDuration tunnel = seconds(3600);         // a tunnel without a byte either way
  MaybeDuration total;                          // absolute, the whole request
  std::optional<std::string> deadline_header;   // a request field that bounds `total`, in seconds or with a unit
  bool operator==(const Timeouts&) const = default;
};

struct Limits {
  MaybeSize request_line = 8 * 1024;
  MaybeSize request_headers = 32 * 1024;
  MaybeSize header_count = 100;
  MaybeSize request_body;
  MaybeSize response_headers = 64 * 1024;
  MaybeSize connections_per_client;   // requests at once of one client, in all workers
  bool operator==(const Limits&) const = default;
};

struct FieldEdits {
  std::map<std::string, FieldValue> set;         // replaces what is there
  std::map<std::string, FieldValue> add;         // beside what is there
  std::map<std::string, FieldValue> if_absent;   // the key `default`
  std::vector<std::string> remove;               // a name, or a prefix that ends in `*`
  bool operator==(const FieldEdits&) const = default;
};

struct HeaderEdits {
  FieldEdits request;
  FieldEdits response;
  bool operator==(const HeaderEdits&) const = default;
};

// strip_prefix, add_prefix and path; at most one of strip_prefix (which may go with add_prefix) and path.
struct Rewrite {
  std::optional<std::string> strip_prefix;
  std::optional<std::string> add_prefix;
  std::optional<std::string> path;   // a template
  bool operator==(const Rewrite&) const = default;
};

// What must hold for a named header, query parameter or cookie.
struct Condition {
  enum class Kind { kEquals, kPresent, kAbsent, kRegex };
  std::string name;
  Kind kind = Kind::kEquals;
  std::string text;   // the value or the expression
  bool operator==(const Condition&) const = default;
};

struct Match {
  enum class Path { kNone, kExact, kPrefix, kRegex };
  Path path_kind = Path::kNone;
  std::string path;
  std::vector<std::string> methods;    // empty: any
  std::optional<std::string> host;     // an exact name or `*.` wildcard
  std::optional<std::string> scheme;   // http | https
  std::vector<Condition> headers;
  std::vector<Condition> query;
  std::vector<Condition> cookies;
  std::vector<std::string> client;   // CIDRs; empty: any
  bool operator==(const Match&) const = default;
};

// Whether what one upstream of a split answered serves for the others too.
enum class SplitCache { kSeparate, kShared };

struct Split {
  std::map<std::string, uint32_t> upstreams;   // name → share
  std::string by = "client_ip";                // client_ip | header:NAME | cookie:NAME | query:NAME
  SplitCache cache = SplitCache::kSeparate;
  bool operator==(const Split&) const = default;
};

struct Redirect {
  std::string to;   // a template
  int status = 308;
  bool operator==(const Redirect&) const = default;
};

struct Respond {
  int status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
  bool operator==(const Respond&) const = default;
};

// Who may ask: the longest prefix that holds the client decides. In neither list: denied if there is an `allow`.
struct AccessList {
  std::string name;
  std::vector<std::string> allow;   // CIDRs
  std::vector<std::string> deny;
  bool operator==(const AccessList&) const = default;
};

// How often requests with one key may come, whichever worker gets them.
struct RateLimit {
  enum class Type { kBucket, kWindow };
  enum class Count { kAll, kOrigin };   // kOrigin: only requests that an origin is asked for
  enum class Mode { kEnforce, kObserve };
  std::string name;
  RequestKey key = "client_ip";
  std::optional<RequestKey> fallback;   // for requests without the key; none: those are not counted
  uint64_t rate = 1;                    // requests …
  Duration per = seconds(1);            // … in this time
  uint64_t burst = 0;                   // above the rate, for kBucket
  Type type = Type::kBucket;
  Count count = Count::kAll;
  Mode mode = Mode::kEnforce;
  std::optional<std::string> except;   // an access list: those whom it allows are not counted
  int status = 429;
  bool operator==(const RateLimit&) const = default;
};

// How fast the content of one response leaves.
struct Bandwidth {
  uint64_t rate = 2 * 1024 * 1024;     // octets a second
  uint64_t after = 10 * 1024 * 1024;   // octets that leave as fast as they can
  bool operator==(const Bandwidth&) const = default;
};

struct BasicAuth {
  std::string realm;
  std::string users_file;   // "name:crypt(3) hash" by line; its content is among the snapshot's materials
  bool operator==(const BasicAuth&) const = default;
};

struct JwtAuth {
  std::optional<std::string> issuer;
  std::vector<std::string> audience;     // one of them; empty: any
  std::vector<std::string> algorithms;   // RS256, ES256, HS256, EdDSA
  std::string jwks_file;                 // its content is among the snapshot's materials
  Duration leeway = seconds(30);
  bool forward = false;   // the origin sees the token
  bool operator==(const JwtAuth&) const = default;
};

// Exactly one of them.
struct Auth {
  std::optional<BasicAuth> basic;
  std::optional<JwtAuth> jwt;
  bool operator==(const Auth&) const = default;
};

// Exactly one of upstream, split, redirect, respond and ready is set.
struct Route {
  std::string name;
  Match match;
  std::optional<std::string> upstream;
  std::optional<Split> split;
  std::optional<Redirect> redirect;
  std::optional<Respond> respond;
  bool ready = false;

  Timeouts timeouts;
  Limits limits;
  HeaderEdits headers;
  std::optional<Retry> retry;   // none: the upstream's
  std::optional<Rewrite> rewrite;
  std::optional<std::string> cache;       // a cache policy; none: off
  std::vector<std::string> access;        // access lists: all must admit, the host's first
  std::vector<Auth> auth;                 // all must be satisfied, the host's first
  std::vector<std::string> rate_limits;   // all must admit, the host's first
  std::optional<Bandwidth> bandwidth;
  bool raw_path = false;
  bool operator==(const Route&) const = default;
};

// Requests by http are sent to https; with `hsts` answers by https ask clients to come by it alone for so long.
struct ForceHttps {
  int status = 308;
  MaybeDuration hsts;
  bool operator==(const ForceHttps&) const = default;
};

enum class ClientAuthMode { kRequire, kRequest };

// Clients show a certificate that an authority of `ca_file` signed; kRequest also takes those that show none.
struct ClientAuth {
  std::string ca_file;   // PEM; its content is among the snapshot's materials
  ClientAuthMode mode = ClientAuthMode::kRequire;
  bool operator==(const ClientAuth&) const = default;
};

enum class PurgeMode { kHard, kSoft };

// Who may purge by the PURGE method: the peer's own address is in `allow`, it carries the token, or both where both
// are given. One at least is. The token is a secret: the content of its file, among the snapshot's materials.
struct Purge {
  std::vector<std::string> allow;   // CIDRs
  std::optional<std::string> token_file;
  PurgeMode mode = PurgeMode::kHard;
  std::vector<std::string> tags = {"Surrogate-Key", "Cache-Tag", "X-Cache-Tags", "xkey"};   // request fields
  bool operator==(const Purge&) const = default;
};

struct Host {
  std::string name;
  std::vector<std::string> names;       // lower case: exact, `*.suffix`, or "*"
  std::vector<std::string> listeners;   // empty: all
  bool first_match = false;
  std::vector<Route> routes;    // in file order
  HeaderEdits headers;          // for answers that no route made (404 of this host)
  std::optional<Purge> purge;   // none: no PURGE
  std::optional<ClientAuth> client_auth;
  std::optional<ForceHttps> force_https;
  bool maintenance = false;                 // every request gets 503
  std::map<int, std::string> error_pages;   // by status, for answers we make: a file, among the snapshot's materials
  bool operator==(const Host&) const = default;
};

// Either both files, PEM, or `uploaded`: then it is in the master's store. Chain and key are among the snapshot's
// materials.
struct Certificate {
  std::string name;
  std::string certificate_file;   // the leaf first
  std::string private_key_file;
  bool uploaded = false;
  bool operator==(const Certificate&) const = default;
};

// What a client gets that names a server which no certificate is for.
enum class UnknownSni { kRefuse, kDefault };
enum class TlsVersion { k12, k13 };

struct ListenerTls {
  std::vector<std::string> certificates;            // names; empty: all
  std::optional<std::string> default_certificate;   // one of them
  UnknownSni unknown_sni = UnknownSni::kRefuse;
  TlsVersion min_version = TlsVersion::k12;
  std::optional<std::string> ciphers;   // of TLS 1.2, as OpenSSL writes them
  bool session_tickets = true;
  std::optional<ClientAuth> client_auth;
  bool operator==(const ListenerTls&) const = default;
};

// h2 is by ALPN, with TLS alone; h2c by prior knowledge, without.
struct Protocols {
  bool h1 = true;
  bool h2 = false;
  bool h2c = false;
  bool operator==(const Protocols&) const = default;
};

enum class ProxyProtocol { kOff, kV1, kV2, kAny };
enum class UnderscoreFields { kReject, kDrop, kPass };

struct Listener {
  std::string name;
  std::vector<std::string> addresses;   // "host:port", ":port", "unix:/path"
  Protocols protocols;
  std::optional<ListenerTls> tls;   // none: cleartext
  ProxyProtocol proxy_protocol = ProxyProtocol::kOff;
  int backlog = 4096;
  bool freebind = false;
  MaybeSize max_connections;
  UnderscoreFields underscore_fields = UnderscoreFields::kReject;
  bool operator==(const Listener&) const = default;
};

struct AccessLog {
  enum class Sink { kFile, kStdout };
  enum class Format { kJson, kCombined };
  Sink to = Sink::kStdout;
  std::string file;
  Format format = Format::kJson;
  std::vector<std::string> unless_paths;   // exact paths that are not logged
  bool operator==(const AccessLog&) const = default;
};

struct ErrorLog {
  std::string to = "stderr";   // stderr | file
  std::string file;
  std::string level = "info";   // debug | info | warning | error
  bool operator==(const ErrorLog&) const = default;
};

struct Logging {
  std::vector<AccessLog> access;
  std::vector<std::string> redact_query = {"token", "key", "password", "signature", "code", "access_token"};
  ErrorLog error;
  bool operator==(const Logging&) const = default;
};

inline constexpr uint64_t kLeastCacheMemory = 8 * 1024 * 1024;
inline constexpr uint64_t kMostCacheMemory = uint64_t{1} << 40;
inline constexpr uint64_t kDefaultCacheMemory = 512 * 1024 * 1024;

// All workers share one cache. Its ceiling is no part of the document: without `memory` the cache takes
// kDefaultCacheMemory, or the ceiling where that is less.
struct Cache {
  std::optional<uint64_t> memory;
  uint64_t max_object = 64 * 1024 * 1024;
  bool operator==(const Cache&) const = default;
};

// What of a request is part of the key beside scheme, authority and path.
struct CacheKeyRules {
  enum class Query { kAll, kOnly, kExcept };
  Query query = Query::kAll;
  std::vector<std::string> parameters;   // for kOnly and kExcept: names, or prefixes that end in `*`
  std::vector<std::string> headers;
  std::vector<std::string> cookies;   // names, or prefixes that end in `*`
  bool operator==(const CacheKeyRules&) const = default;
};

// Requests that the cache has no part in: those with any of these.
struct CacheBypass {
  std::vector<std::string> cookies;   // names, or prefixes that end in `*`
  std::vector<std::string> headers;
  std::vector<std::string> query;   // names, or prefixes that end in `*`
  std::vector<std::string> paths;   // exact, or prefixes that end in `*`
  bool operator==(const CacheBypass&) const = default;
};

enum class StoreSetCookie { kNo, kStrip };
enum class RangeMode { kFull, kSlice, kPass };

// What may be stored, and for how long. Without a word: what the origin calls fresh.
struct CachePolicy {
  std::string name;
  std::vector<std::string> methods = {"GET", "HEAD"};   // GET is among them; POST may be
  std::map<int, Duration> default_ttl;                  // by status, where the origin sends no freshness
  MaybeDuration min_ttl;
  MaybeDuration max_ttl;
  bool heuristic = false;
  CacheKeyRules key;
  CacheBypass bypass;
  bool ignore_cache_control = false;   // these four: the key `ignore`
  bool ignore_expires = false;
  bool ignore_pragma = false;
  bool ignore_vary = false;
  bool ignore_cookies = false;
  StoreSetCookie store_set_cookie = StoreSetCookie::kNo;
  RangeMode range = RangeMode::kFull;
  uint64_t slice = 4 * 1024 * 1024;   // octets of each part, for kSlice
  MaybeDuration stale_while_revalidate;
  MaybeDuration stale_if_error;
  Duration collapse_timeout = seconds(5);
  std::vector<std::string> targeted = {"Proxyd-Cache-Control", "CDN-Cache-Control"};   // the first that is there
  std::vector<std::string> tag_headers = {"Surrogate-Key", "Cache-Tag", "xkey"};
  bool expose_tags = false;
  uint64_t max_object = 64 * 1024 * 1024;   // the cache's, unless the policy says
  bool operator==(const CachePolicy&) const = default;
};

struct Document {
  int version = 1;
  std::vector<std::string> trusted_proxies;   // CIDRs
  Timeouts timeouts;                          // of defaults: they hold until a route is known
  Limits limits;                              // the same
  HeaderEdits headers;                        // the same
  bool cache_status = true;                   // answers carry Cache-Status
  std::map<std::string, Listener> listeners;
  std::map<std::string, Certificate> certificates;
  Cache cache;
  std::map<std::string, CachePolicy> cache_policies;
  std::map<std::string, RateLimit> rate_limits;
  std::map<std::string, AccessList> access_lists;
  std::map<std::string, Upstream> upstreams;
  std::map<std::string, Host> hosts;
  Logging logging;
  bool operator==(const Document&) const = default;
};

}   // namespace proxyd::config
