#include "tests/unit/shared/config/invalid_documents.h"

#include <algorithm>

namespace proxyd::config {
namespace {

// In the texts below `@@` stands where the problem must be reported; it is taken out.
std::vector<Wrong> placed(std::vector<Wrong> all) {
  for (Wrong& wrong : all) {
    const size_t at = wrong.text.find("@@");
    const std::string before = wrong.text.substr(0, at);
    const size_t line_end = before.rfind('\n');
    wrong.line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
    wrong.column = static_cast<int>(line_end == std::string::npos ? at + 1 : at - line_end);
    wrong.text.erase(at, 2);
  }
  return all;
}

std::string listener(const std::string& rest) { return "version: 1\nlisteners:\n  l: { " + rest + " }\n"; }
std::string upstream(const std::string& rest) { return "version: 1\nupstreams:\n  u: { " + rest + " }\n"; }
std::string target(const std::string& rest) { return upstream("targets: { t: { " + rest + " } }"); }
std::string defaults(const std::string& rest) { return "version: 1\ndefaults: { " + rest + " }\n"; }
std::string host(const std::string& rest) {
  return "version: 1\nupstreams: { u: {} }\nhosts:\n  h: { names: [a.test], " + rest + " }\n";
}
std::string route(const std::string& rest) { return host("routes: [ { name: r, " + rest + " } ]"); }
std::string match(const std::string& rest) { return route("ready: true, match: { " + rest + " }"); }
std::string rate_limit(const std::string& rest) { return "version: 1\nrate_limits:\n  r: { " + rest + " }\n"; }
std::string policy(const std::string& rest) { return "version: 1\ncache_policies:\n  p: { " + rest + " }\n"; }
std::string certificate(const std::string& rest) { return "version: 1\ncertificates:\n  c: " + rest + "\n"; }
std::string secured(const std::string& tls, const std::string& more = "") {
  return certificate("{ uploaded: true }\n  d: { uploaded: true }\nlisteners:\n  l: { address: \":1\", tls: " + tls +
                     more + " }");
}
std::string edit(const std::string& rest) { return defaults("headers: { request: { " + rest + " } }"); }

// 21 listeners of 10 addresses.
std::string many_addresses() {
  std::string text;
  for (int listener = 0; listener < 21; ++listener) {
    text += (listener == 0 ? "" : ", ") + ("l" + std::to_string(listener)) + ": { addresses: [";
    for (int i = 0; i < 10; ++i)
      text += (i == 0 ? "" : ", ") + ("\"unix:/run/" + std::to_string(listener * 10 + i)) + "\"";
    text += "] }";
  }
  return text;
}

const std::vector<Wrong> kSyntax = {
    {"an unclosed list", "version: 1\nhosts: [a\n@@", "syntax", ""},
    {"a tab as indentation", "version: 1\nhosts:\n\ta@@: {}\n", "syntax", ""},
    {"an unknown alias", "version: @@*nobody\n", "syntax", ""},
    {"a tag of another schema", "version: @@!!int 1\n", "syntax", ""},
    {"a list as a key", "version: 1\n? @@[a]\n: b\n", "syntax", ""},
    {"two documents", "version: 1\n---\n@@version: 1\n", "syntax", ""},
    {"a NUL", std::string("version: 1 @@") + '\0' + "\n", "syntax", ""},
    {"octets that are no UTF-8", "version: 1\nhosts: { a@@\xC3\x28: 1 }\n", "utf-8", ""},
    {"a key given twice", "version: 1\nhosts: {}\n@@version: 1\n", "duplicate-key", "/version"},
    {"a nested key given twice", defaults("timeouts: { connect: 1s, @@connect: 2s }"), "duplicate-key",
     "/defaults/timeouts/connect"},
    {"JSON with a trailing comma", "{\"version\": 1,@@}", "syntax", ""},
    {"JSON with a comment", "{@@// no\n}", "syntax", ""},
    {"JSON that ends early", "{\"version\": @@", "syntax", ""},
    {"JSON with text behind it", "{\"version\": 1} @@x", "syntax", ""},
    {"JSON with a lone surrogate", "{\"a\": \"\\ud800@@\"}", "utf-8", ""},
    {"JSON with a line end in a string", "{\"a@@\n\": 1}", "syntax", ""},
    {"JSON with NaN", "{\"version\": @@NaN}", "syntax", ""},
    {"JSON with a number beyond every double", "{\"version\": 1e999@@}", "syntax", ""},
    {"JSON with minus zero", "{\"version\": -0@@}", "syntax", ""},
    {"JSON with a leading zero", "{\"version\": 0@@1}", "syntax", ""},
    {"JSON with a key given twice", "{\n  \"version\": 1,\n  @@\"version\": 1\n}", "duplicate-key", "/version"},
};

const std::vector<Wrong> kShapes = {
    {"nothing at all", "@@", "type", ""},
    {"a list instead of a document", "@@- version: 1\n", "type", ""},
    {"no version", "@@hosts: {}\n", "missing", "/version"},
    {"a later version", "version: @@2\n", "range", "/version"},
    {"a version in quotes", "version: @@\"1\"\n", "type", "/version"},
    {"an unknown key", "version: 1\n@@hots: {}\n", "unknown-key", "/hots", "did you mean 'hosts'?"},
    {"an unknown key far below", target("address: \"a:1\", @@wieght: 5"), "unknown-key",
     "/upstreams/u/targets/t/wieght", "did you mean 'weight'?"},
    {"a merge key of YAML 1.1", "version: 1\n@@<<: {}\n", "unknown-key", "/<<"},
    {"a key of a later version", upstream("@@queue: {}"), "unsupported", "/upstreams/u/queue"},
    {"a version of TLS that is gone", listener("address: \":1\", tls: { min_version: @@\"1.1\" }"), "value",
     "/listeners/l/tls/min_version", "did you mean '1.2'?"},
    {"a version of TLS without its quotes", listener("address: \":1\", tls: { min_version: @@1.3 }"), "type",
     "/listeners/l/tls/min_version", "did you mean '\"1.3\"'?"},
    {"no protocol at all", listener("address: \":1\", protocols: @@[]"), "range", "/listeners/l/protocols"},
    {"authorities for clients without their file",
     listener("address: \":1\", tls: { client_auth: @@{ mode: request } }"), "missing",
     "/listeners/l/tls/client_auth/ca_file"},
    {"a word of a later version", upstream("balance: @@least_requests"), "unsupported", "/upstreams/u/balance"},
    {"a protocol nobody speaks", listener("address: \":1\", protocols: [h1, @@quic]"), "value",
     "/listeners/l/protocols/1"},
    {"an SRV address of no service", target("address: @@\"srv:_http.a.test\""), "format",
     "/upstreams/u/targets/t/address"},
    {"a bare number where a duration is due", defaults("timeouts: { connect: @@30 }"), "unit",
     "/defaults/timeouts/connect", "did you mean '30s'?"},
    {"a bare number where a size is due", defaults("limits: { request_body: @@1000 }"), "unit",
     "/defaults/limits/request_body", "did you mean '1000B'?"},
    {"a unit that does not exist", defaults("timeouts: { connect: @@30sec }"), "unit", "/defaults/timeouts/connect"},
    {"a duration of nothing", defaults("timeouts: { connect: @@0s }"), "range", "/defaults/timeouts/connect"},
    {"a duration of a century", defaults("timeouts: { total: @@40000d }"), "range", "/defaults/timeouts/total"},
    {"a key on the way of a later version", host("@@websocket: { drain: 1h }"), "unsupported", "/hosts/h/websocket"},
    {"a size that overflows", defaults("limits: { request_body: @@99999999999TiB }"), "unit",
     "/defaults/limits/request_body"},
    {"a line limit that no request fits", defaults("limits: { request_line: @@1B }"), "range",
     "/defaults/limits/request_line"},
    {"a list where a duration is due", defaults("timeouts: { connect: @@[30s] }"), "type",
     "/defaults/timeouts/connect"},
    {"a count in quotes", defaults("limits: { header_count: @@\"5\" }"), "type", "/defaults/limits/header_count"},
    {"a count with a fraction", defaults("limits: { header_count: @@1.5 }"), "type", "/defaults/limits/header_count"},
    {"a weight above its range", target("address: \"a:1\", weight: @@10001"), "range", "/upstreams/u/targets/t/weight"},
    {"a weight that no integer holds", target("address: \"a:1\", weight: @@99999999999999999999"), "range",
     "/upstreams/u/targets/t/weight"},
    {"yes where a boolean is due", target("address: \"a:1\", backup: @@yes"), "type", "/upstreams/u/targets/t/backup",
     "did you mean 'true'?"},
    {"a number where a text is due", route("respond: { body: @@5 }"), "type", "/hosts/h/routes/0/respond/body",
     "did you mean '\"5\"'?"},
    {"null where nothing is inherited", upstream("balance: @@null"), "value", "/upstreams/u/balance"},
    {"a word that was misspelled", upstream("balance: @@round_robbin"), "value", "/upstreams/u/balance",
     "did you mean 'round_robin'?"},
    {"a map where a list is due", host("routes: @@{}"), "type", "/hosts/h/routes"},
    {"a list where a map is due", "version: 1\nhosts: @@[]\n", "type", "/hosts"},
    {"an empty list of addresses", listener("addresses: @@[]"), "range", "/listeners/l/addresses"},
    {"a memory of the cache without its unit", "version: 1\ncache: { memory: @@512 }\n", "unit", "/cache/memory",
     "did you mean '512B'?"},
    {"a memory of the cache below what it needs", "version: 1\ncache: { memory: @@4MiB }\n", "range", "/cache/memory"},
    {"a cache without a limit of its objects", "version: 1\ncache: { max_object: @@off }\n", "unit",
     "/cache/max_object"},
    {"a method that is never cached", policy("methods: [GET, @@DELETE]"), "value", "/cache_policies/p/methods/1"},
    {"a method in lower case", policy("methods: [@@get]"), "value", "/cache_policies/p/methods/0",
     "did you mean 'GET'?"},
    {"a lifetime without its unit", policy("default_ttl: { \"200\": @@60 }"), "unit",
     "/cache_policies/p/default_ttl/200", "did you mean '60s'?"},
    {"a least lifetime of nothing", policy("min_ttl: @@0s"), "range", "/cache_policies/p/min_ttl"},
    {"true where a switch is due", policy("heuristic: @@true"), "value", "/cache_policies/p/heuristic",
     "did you mean 'on'?"},
    {"a field that cannot be ignored", policy("ignore: [@@Set-Cookie]"), "value", "/cache_policies/p/ignore/0"},
    {"a cookie that would be stored for all", policy("store_set_cookie: @@true"), "value",
     "/cache_policies/p/store_set_cookie"},
    {"false in quotes", policy("store_set_cookie: @@\"false\""), "type", "/cache_policies/p/store_set_cookie"},
    {"parts too small to be worth a request", policy("range: slice, slice: @@100B"), "range",
     "/cache_policies/p/slice"},
    {"parts that are too large to be stored", policy("range: slice, max_object: 1MiB, slice: @@2MiB"), "range",
     "/cache_policies/p/slice"},
    {"a wait without a limit", policy("collapse: { timeout: @@off }"), "unit", "/cache_policies/p/collapse/timeout"},
    {"a misspelled rule of a policy", policy("@@stale_if_eror: 1h"), "unknown-key", "/cache_policies/p/stale_if_eror",
     "did you mean 'stale_if_error'?"},
    {"false where a cache policy is due", host("cache: @@false"), "type", "/hosts/h/cache", "did you mean 'off'?"},
    {"a split's cache that is none", route("split: { upstreams: { u: 1 }, cache: @@common }"), "value",
     "/hosts/h/routes/0/split/cache"},
    {"a purge in a way nobody knows", host("purge: { allow: [\"::1\"], mode: @@gentle }"), "value",
     "/hosts/h/purge/mode"},
    {"a name with a space", "version: 1\nupstreams: { @@\"a b\": {} }\n", "name", "/upstreams/a b"},
    {"a name that is too long", "version: 1\nupstreams: { @@" + std::string(65, 'a') + ": {} }\n", "name", nullptr},
};

const std::vector<Wrong> kTexts = {
    {"a target without a port", target("address: @@10.0.0.1"), "format", "/upstreams/u/targets/t/address"},
    {"a target with port 0", target("address: @@\"a:0\""), "format", "/upstreams/u/targets/t/address"},
    {"a target with port 65536", target("address: @@\"a:65536\""), "format", "/upstreams/u/targets/t/address"},
    {"IPv6 without brackets", target("address: @@\"2001:db8::1:80\""), "format", "/upstreams/u/targets/t/address"},
    {"a relative socket path", target("address: @@\"unix:run/a.sock\""), "format", "/upstreams/u/targets/t/address"},
    {"a socket path that is too long", target("address: @@\"unix:/" + std::string(107, 'a') + "\""), "format",
     "/upstreams/u/targets/t/address"},
    {"a listener without a port", listener("address: @@\"0.0.0.0\""), "format", "/listeners/l/address"},
    {"a network that is none", defaults("trusted_proxies: [@@10.0.0.0/33]"), "format", "/defaults/trusted_proxies/0"},
    {"a rate limit that is not there", host("rate_limit: [@@per-ip]"), "reference", "/hosts/h/rate_limit/0"},
    {"a rate limit of the defaults that is not there", defaults("rate_limit: @@per-ip"), "reference",
     "/defaults/rate_limit/0"},
    {"an exception that is not there", rate_limit("rate: 1/s, except: @@office"), "reference", "/rate_limits/r/except"},
    {"a rate limit without a rate", "version: 1\nrate_limits:\n  r: @@{ key: path }\n", "missing",
     "/rate_limits/r/rate"},
    {"a rate without its time", rate_limit("rate: @@\"50\""), "format", "/rate_limits/r/rate"},
    {"a rate of nothing", rate_limit("rate: @@0/s"), "format", "/rate_limits/r/rate"},
    {"a key that no request has", rate_limit("rate: 1/s, key: @@user"), "format", "/rate_limits/r/key"},
    {"a fallback that is the key", rate_limit("rate: 1/s, fallback: @@client_ip"), "no-effect",
     "/rate_limits/r/fallback"},
    {"a window with a burst", rate_limit("rate: 1/s, type: window, burst: @@5"), "exclusive", "/rate_limits/r/burst"},
    {"a bucket that takes a year to fill", rate_limit("rate: 1/d, burst: @@365"), "range", "/rate_limits/r/burst"},
    {"a bandwidth without its time", defaults("bandwidth: { rate: @@2MiB }"), "format", "/defaults/bandwidth/rate"},
    {"no rate limit in a list", defaults("rate_limit: @@[]"), "range", "/defaults/rate_limit"},
    {"a network with bits behind its prefix", defaults("trusted_proxies: [10.0.0.0/8, @@10.0.0.1/8]"), "format",
     "/defaults/trusted_proxies/1"},
    {"an address with a NUL inside", "{\"version\": 1, \"defaults\": {\"trusted_proxies\": [@@\"10.0.0.1\\u0000x\"]}}",
     "format", "/defaults/trusted_proxies/0"},
    {"an expression that RE2 refuses", match("path_regex: @@\"(\""), "format", "/hosts/h/routes/0/match/path_regex"},
    {"an expression with a look-ahead", match("header: { X: { regex: @@\"(?=a)\" } }"), "format",
     "/hosts/h/routes/0/match/header/X/regex"},
    {"a path without its slash", match("path: @@status"), "format", "/hosts/h/routes/0/match/path"},
    {"a path with a query", match("path: @@\"/a?b\""), "format", "/hosts/h/routes/0/match/path"},
    {"a wildcard inside a name", "version: 1\nhosts: { h: { names: [@@\"a.*.test\"] } }\n", "format",
     "/hosts/h/names/0"},
    {"a name with an open bracket", "version: 1\nhosts: { h: { names: [@@\"[::1x\"] } }\n", "format",
     "/hosts/h/names/0"},
    {"a method with a space", match("methods: [@@\"GET IT\"]"), "format", "/hosts/h/routes/0/match/methods/0"},
    {"a scheme nobody speaks", match("scheme: @@gopher"), "value", "/hosts/h/routes/0/match/scheme"},
    {"an absent that is false", match("header: { X: { absent: @@false } }"), "value",
     "/hosts/h/routes/0/match/header/X/absent"},
    {"a condition of two kinds", match("cookie: { c: { @@regex: a, absent: true } }"), "type",
     "/hosts/h/routes/0/match/cookie/c"},
    {"an edit of the framing", edit("set: { @@Content-Length: \"5\" }"), "name",
     "/defaults/headers/request/set/Content-Length"},
    {"an edit of Host", edit("set: { @@host: a.test }"), "name", "/defaults/headers/request/set/host"},
    {"the removal of a connection's field", edit("remove: [@@transfer-encoding]"), "format",
     "/defaults/headers/request/remove/0"},
    {"a prefix that covers the framing", edit("remove: [@@\"Content-*\"]"), "format",
     "/defaults/headers/request/remove/0"},
    {"a field name with a colon", edit("set: { @@\"X:\": a }"), "name", "/defaults/headers/request/set/X:"},
    {"one field in two cases", edit("set: { X-A: a, @@x-a: b }"), "duplicate-key", "/defaults/headers/request/set/x-a"},
    {"a line end in a field value", edit("set: { X-A: @@\"a\\r\\nB: c\" }"), "format",
     "/defaults/headers/request/set/X-A"},
    {"a line end in a content type", route("respond: { content_type: @@\"a\\nB: c\" }"), "format",
     "/hosts/h/routes/0/respond/content_type"},
    {"a relative file of a value", edit("set: { X-A: { file: @@secret } }"), "format",
     "/defaults/headers/request/set/X-A/file"},
    {"an unknown variable", edit("set: { X-A: @@\"{user}\" }"), "format", "/defaults/headers/request/set/X-A"},
    {"an open brace", route("redirect: { to: @@\"/{path\" }"), "format", "/hosts/h/routes/0/redirect/to"},
    {"a redirect to nothing", route("redirect: { to: @@\"\" }"), "format", "/hosts/h/routes/0/redirect/to"},
    {"a rewrite to no path", route("ready: true, rewrite: { path: @@new }"), "format",
     "/hosts/h/routes/0/rewrite/path"},
    {"a split by nothing known", route("split: { upstreams: { u: 1 }, by: @@weather }"), "format",
     "/hosts/h/routes/0/split/by"},
    {"a retry on a success", defaults("retry: { when: [@@\"200\"] }"), "format", "/defaults/retry/when/0"},
    {"a retry on a bare status", defaults("retry: { when: [@@502] }"), "type", "/defaults/retry/when/0",
     "did you mean '\"502\"'?"},
    {"a lifetime of what is no status", policy("default_ttl: { @@ok: 1m }"), "name",
     "/cache_policies/p/default_ttl/ok"},
    {"a lifetime of a 304", policy("default_ttl: { @@\"304\": 1m }"), "name", "/cache_policies/p/default_ttl/304"},
    {"a star inside a parameter's name", policy("key: { query: { only: [@@\"a*b\"] } }"), "format",
     "/cache_policies/p/key/query/only/0"},
    {"two stars in a cookie's name", policy("bypass: { cookies: [@@\"**\"] }"), "format",
     "/cache_policies/p/bypass/cookies/0"},
    {"a cookie's name with its value", policy("key: { cookies: [@@\"a=b\"] }"), "format",
     "/cache_policies/p/key/cookies/0"},
    {"a bypassed path without its slash", policy("bypass: { paths: [@@cart] }"), "format",
     "/cache_policies/p/bypass/paths/0"},
    {"a star inside a path", policy("bypass: { paths: [@@\"/*/cart\"] }"), "format",
     "/cache_policies/p/bypass/paths/0"},
    {"a field name with a space in a key", policy("key: { headers: [@@\"X A\"] }"), "format",
     "/cache_policies/p/key/headers/0"},
    {"a relative file of a token", host("purge: { token_file: @@token }"), "format", "/hosts/h/purge/token_file"},
    {"a purger that is no network", host("purge: { allow: [@@localhost] }"), "format", "/hosts/h/purge/allow/0"},
    {"an upstream host with a wildcard", upstream("host: @@\"*.a.test\""), "format", "/upstreams/u/host"},
    {"an upstream host with a wrong port", upstream("host: @@\"a.test:http\""), "format", "/upstreams/u/host"},
};

const std::vector<Wrong> kRules = {
    {"an upstream that is not there",
     "version: 1\nupstreams: { apps: {} }\nhosts:\n  h:\n    names: [a.test]\n    routes:\n      - { name: r, "
     "upstream: @@app }\n",
     "reference", "/hosts/h/routes/0/upstream", "did you mean 'apps'?"},
    {"a share of an upstream that is not there", route("split: { upstreams: { nobody: @@1 } }"), "reference",
     "/hosts/h/routes/0/split/upstreams/nobody"},
    {"a listener that is not there", host("listeners: [@@http]"), "reference", "/hosts/h/listeners/0"},
    {"one name in two hosts", "version: 1\nhosts:\n  a: { names: [x.test] }\n  b: { names: [y.test, @@X.test] }\n",
     "clash", "/hosts/b/names/1"},
    {"one name twice in a host", "version: 1\nhosts:\n  a: { names: [x.test, @@x.test] }\n", "clash",
     "/hosts/a/names/1"},
    {"one address in two listeners",
     "version: 1\nlisteners:\n  a: { address: \"127.0.0.1:80\" }\n  b: { address: @@\"127.0.0.1:80\" }\n", "clash",
     "/listeners/b/address"},
    {"an address beside any address", "version: 1\nlisteners:\n  a: { addresses: [\"127.0.0.1:80\", @@\":80\"] }\n",
     "clash", "/listeners/a/addresses/1"},
    {"more sockets than a worker can be given", "version: 1\nlisteners: @@{ " + many_addresses() + " }\n", "range",
     "/listeners"},
    {"address and addresses", listener("address: @@\":1\", addresses: [\":2\"]"), "exclusive", "/listeners/l/address"},
    {"a listener without an address", "version: 1\nlisteners:\n  l: @@{ backlog: 5 }\n", "missing", "/listeners/l"},
    {"a route that does nothing", host("routes: [ @@{ name: r } ]"), "missing", "/hosts/h/routes/0"},
    {"a route that does two things", host("routes: [ @@{ name: r, ready: true, respond: {} } ]"), "exclusive",
     "/hosts/h/routes/0"},
    {"a route without a name", host("routes: [ @@{ ready: true } ]"), "missing", "/hosts/h/routes/0/name"},
    {"two routes of one name",
     host("routes: [ { name: r, ready: true }, { name: @@r, match: { path: /a }, ready: true } ]"), "clash",
     "/hosts/h/routes/1/name"},
    {"two kinds of path", route("ready: true, match: @@{ path: /a, path_prefix: /b }"), "exclusive",
     "/hosts/h/routes/0/match"},
    {"two kinds of rewrite", route("ready: true, rewrite: @@{ path: /a, strip_prefix: /b }"), "exclusive",
     "/hosts/h/routes/0/rewrite"},
    {"a redirect that is none", route("redirect: { to: /, status: @@304 }"), "range",
     "/hosts/h/routes/0/redirect/status"},
    {"a body where none can be", route("respond: { status: 204, body: @@x }"), "exclusive",
     "/hosts/h/routes/0/respond/body"},
    {"a split without a share", route("split: { upstreams: @@{ u: 0 } }"), "range",
     "/hosts/h/routes/0/split/upstreams"},
    {"a group without an expression", route("redirect: { to: @@\"/{1}\" }"), "variable",
     "/hosts/h/routes/0/redirect/to"},
    {"a group that the expression lacks", route("match: { path_regex: \"/(a)\" }, redirect: { to: @@\"/{2}\" }"),
     "variable", "/hosts/h/routes/0/redirect/to"},
    {"a group in the edits of a host", host("headers: { response: { set: { X-A: @@\"{1}\" } } }"), "variable",
     "/hosts/h/headers/response/set/X-A"},
    {"a cache policy that is not there",
     "version: 1\nupstreams: { u: {} }\ncache_policies: { pages: {} }\nhosts:\n  h: { names: [a.test], routes: [ { "
     "name: r, upstream: u, cache: @@page } ] }\n",
     "reference", "/hosts/h/routes/0/cache", "did you mean 'pages'?"},
    {"a cache policy of a host that is not there", host("cache: @@on"), "reference", "/hosts/h/cache"},
    {"a cache policy of the defaults that is not there", defaults("cache: @@pages"), "reference", "/defaults/cache"},
    {"a cache policy whose name says that there is none", "version: 1\ncache_policies: { off: @@{} }\n", "name",
     "/cache_policies/off"},
    {"a policy that could store nothing", policy("methods: @@[HEAD, POST]"), "value", "/cache_policies/p/methods"},
    {"a least lifetime above the longest", policy("min_ttl: @@1d, max_ttl: 1h"), "range", "/cache_policies/p/min_ttl"},
    {"a query of some and of all but some", policy("key: { query: @@{ only: [a], except: [b] } }"), "exclusive",
     "/cache_policies/p/key/query"},
    {"a targeted field that is for all", policy("targeted: [CDN-Cache-Control, @@cache-control]"), "value",
     "/cache_policies/p/targeted/1"},
    {"an access list that is not there", host("access: @@office"), "reference", "/hosts/h/access"},
    {"an access list of the defaults that is not there", defaults("access: @@office"), "reference", "/defaults/access"},
    {"a network that is allowed and denied",
     "version: 1\naccess_lists: { a: { allow: [10.0.0.1, 10.0.0.0/8], deny: [10.0.0.0/16, @@10.0.0.1/32] } }\n",
     "clash", "/access_lists/a/deny/1"},
    {"a network with bits behind its prefix", "version: 1\naccess_lists: { a: { allow: [@@10.0.0.1/8] } }\n", "format",
     "/access_lists/a/allow/0"},
    {"a certificate of nothing", certificate("@@{}"), "missing", "/certificates/c"},
    {"a certificate without its key", certificate("@@{ certificate_file: /c.pem }"), "missing", "/certificates/c"},
    {"a key without its certificate", certificate("@@{ private_key_file: /c.key }"), "missing", "/certificates/c"},
    {"a certificate from two places",
     certificate("{ certificate_file: /c.pem, private_key_file: /c.key, uploaded: @@true }"), "exclusive",
     "/certificates/c/uploaded"},
    {"a certificate file without its folder", certificate("{ certificate_file: @@c.pem, private_key_file: /c.key }"),
     "format", "/certificates/c/certificate_file"},
    {"tls without a certificate", listener("address: \":1\", tls: @@{}"), "missing", "/listeners/l/tls"},
    {"a certificate that is not there", secured("{ certificates: [c, @@www.test] }"), "reference",
     "/listeners/l/tls/certificates/1"},
    {"a default that is not there", secured("{ default_certificate: @@www.test }"), "reference",
     "/listeners/l/tls/default_certificate"},
    {"a default that is not served", secured("{ certificates: [c], default_certificate: @@d }"), "reference",
     "/listeners/l/tls/default_certificate"},
    {"a default that nobody can tell", secured("{ unknown_sni: @@default }"), "missing",
     "/listeners/l/tls/unknown_sni"},
    {"HTTP/2 by ALPN without tls", listener("address: \":1\", protocols: @@[h2, h1]"), "exclusive",
     "/listeners/l/protocols"},
    {"prior knowledge with tls", secured("{}", ", protocols: @@[h1, h2c]"), "exclusive", "/listeners/l/protocols"},
    {"targets of an upstream whose targets come by the API",
     upstream("membership: dynamic, targets: @@{ t: { address: \"a:1\" } }"), "range", "/upstreams/u/targets"},
    {"a lease of a declared target", target("address: \"a:1\", @@lease: 90s"), "unsupported",
     "/upstreams/u/targets/t/lease"},
    {"HTTP/2 by ALPN toward targets without tls", upstream("protocol: @@h2"), "exclusive", "/upstreams/u/protocol"},
    {"a choice by ALPN without tls", upstream("protocol: @@auto"), "exclusive", "/upstreams/u/protocol"},
    {"prior knowledge toward targets with tls", upstream("protocol: @@h2c, tls: {}"), "exclusive",
     "/upstreams/u/protocol"},
    {"clients without a certificate beside those that must have one",
     secured("{}", " }\n  open: { address: \":2\"") +
         "hosts: { h: { names: [a.test], client_auth: @@{ ca_file: /ca.pem } } }\n",
     "exclusive", "/hosts/h/client_auth"},
    {"a way to https that is none", host("force_https: { status: @@304 }"), "range", "/hosts/h/force_https/status"},
    {"a promise of https for less than a second", host("force_https: { hsts: @@500ms }"), "range",
     "/hosts/h/force_https/hsts"},
    {"a purge that nobody may", host("purge: @@{ mode: soft }"), "missing", "/hosts/h/purge"},
    {"a log file without its name", "version: 1\nlogging: { access: [ @@{ to: file } ] }\n", "missing",
     "/logging/access/0"},
    {"a file for standard output", "version: 1\nlogging: { access: [ { to: stdout, file: @@/a } ] }\n", "exclusive",
     "/logging/access/0/file"},
    {"a log level nobody has", "version: 1\nlogging: { error: { level: @@verbose } }\n", "value",
     "/logging/error/level"},
};

}   // namespace

std::vector<Wrong> wrong_by_syntax() { return placed(kSyntax); }
std::vector<Wrong> wrong_by_shape() { return placed(kShapes); }
std::vector<Wrong> wrong_by_text() { return placed(kTexts); }
std::vector<Wrong> wrong_by_rule() { return placed(kRules); }

}   // namespace proxyd::config
