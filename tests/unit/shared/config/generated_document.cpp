#include "tests/unit/shared/config/generated_document.h"

#include <fmt/format.h>

#include <random>
#include <set>

#include "shared/config/scalar.h"
#include "shared/config/schema.h"
#include "shared/config/units.h"

namespace proxyd::config {
namespace {

// Texts that a careless writer of YAML or JSON would spoil.
const std::vector<std::string> kHardTexts = {
    "",       " ",  "off", "null", "~",    "yes", "No",       "true",   "1",      "0x1F",
    "1.5",    "-",  "- a", "a: b", "a #b", "#",   "'",        "\"",     "\\",     "{{",
    "a\nb\n", "\n", "\t",  "é",    "日本", "😀",  "a\u2028b", "\u0085", "\ufeff", "trailing ",
    "%",      "@",  "`",   "*a",   "&a",   "!x",  "|",        ">",      "[",      "]"};

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  Json document() {
    Json json = object(document_type());
    json["version"] = 1;
    name_entries(json, "upstreams", {"app", "api-next", "A.b_c"});
    name_entries(json, "cache_policies", {"static", "pages"});
    name_entries(json, "rate_limits", {"per-ip", "api-key"});
    for (auto& limit : json["rate_limits"]) rate_limit(limit);
    name_entries(json, "access_lists", {"office", "bots"});
    for (auto& list : json["access_lists"]) list.erase(pick({"allow", "deny"}));
    name_entries(json, "listeners", {"http", "local"});
    name_entries(json, "certificates", {"site", "other"});
    for (auto& upstream : json["upstreams"]) {
      if (upstream.value("membership", "") == "dynamic") upstream.erase("targets");
      if (upstream.contains("tls")) upstream_tls(upstream["tls"]);
      if (upstream.contains("protocol")) {
        upstream["protocol"] = upstream.contains("tls") ? pick({"h1", "h2", "auto"}) : pick({"h1", "h2c"});
      }
      balance(upstream);
      if (upstream.contains("health") && upstream["health"].contains("active"))
        active_health(upstream["health"]["active"], upstream.value("protocol", "h1"));
    }
    for (auto& certificate : json["certificates"])
      certificate = chance(50) ? Json{{"uploaded", true}}
                               : Json{{"certificate_file", "/a b.pem"}, {"private_key_file", "/ü.key"}};
    name_entries(json, "hosts", {"www", "x"});
    listeners(json["listeners"]);
    for (auto& policy : json["cache_policies"]) cache_policy(policy);
    int number = 0;
    for (auto& host : json["hosts"]) this->host(host, number++);
    if (json.contains("logging")) logging(json["logging"]);
    if (json.contains("defaults")) on_the_way(json["defaults"]);
    return json;
  }

 private:
  bool chance(int percent) { return std::uniform_int_distribution<>(1, 100)(random_) <= percent; }
  int64_t between(int64_t least, int64_t most) { return std::uniform_int_distribution<int64_t>(least, most)(random_); }
  template <class List>
  auto one_of(const List& list) {
    return *(list.begin() + between(0, static_cast<int64_t>(list.size()) - 1));
  }
  std::string pick(std::vector<std::string> texts) { return one_of(texts); }

  Json object(const ObjectType& type) {
    Json json = Json::object();
    for (const Key& key : type.keys) {
      if (!key.type || (!key.required() && !chance(60))) continue;
      const bool null = (key.inherited() || key.outermost()) && chance(10);
      json[std::string(key.name)] = null ? Json(nullptr) : value(*key.type);
    }
    return json;
  }

  Json value(const ValueType& type) {
    if (type.may_be_off && chance(20)) return "off";
    switch (type.kind) {
      case ValueKind::kDuration:
        return format_duration(between(std::max(type.least, int64_t{1}), std::min(type.most, int64_t{10'000'000})));
      case ValueKind::kSize:
        return format_size(
            static_cast<uint64_t>(between(std::max(type.least, int64_t{1024}), std::min(type.most, int64_t{1} << 40))));
      case ValueKind::kCount:
      case ValueKind::kInteger: return between(type.least, std::min(type.most, int64_t{100'000}));
      case ValueKind::kBoolean: return chance(50);
      case ValueKind::kWord: return word_value(one_of(type.words));
      case ValueKind::kText: return text(type.format);
      case ValueKind::kList: return list(type);
      case ValueKind::kMap: return map(type);
      case ValueKind::kObject: return object(*type.object);
      case ValueKind::kFieldValue:
        return chance(20)   ? Json{{"file", "/etc/secret"}}
               : chance(10) ? Json(nullptr)
                            : Json(text(TextFormat::kTemplate));
      case ValueKind::kCondition: return condition();
    }
    return nullptr;
  }

  Json condition() {
    if (chance(25)) return Json{{"regex", text(TextFormat::kRegex)}};
    if (chance(25)) return Json{{"absent", true}};
    return pick({"*", "1", "true", "a b", "ü"});
  }

  Json list(const ValueType& type) {
    Json json = Json::array();
    const int64_t count = between(static_cast<int64_t>(type.least_items), 3);
    for (int64_t i = 0; i < count; ++i) json.push_back(value(*type.item));
    return json;
  }

  Json map(const ValueType& type) {
    Json json = Json::object();
    const int64_t count = between(static_cast<int64_t>(type.least_items), 3);
    for (int64_t i = 0; i < count; ++i) {
      json[key_of(type, i)] = value(*type.item);
    }
    return json;
  }

  std::string key_of(const ValueType& type, int64_t number) {
    if (type.key_format == TextFormat::kStoredStatus) return pick({"200", "301", "404", "503"});
    if (type.key_format == TextFormat::kErrorStatus) return pick({"400", "404", "503", "599"});
    return fmt::format("{}-{}", pick({"zeta", "Alpha", "on", "1e3"}), number);
  }

  std::string text(TextFormat format) {
    switch (format) {
      case TextFormat::kAny: return one_of(kHardTexts);
      case TextFormat::kNotEmpty: return pick({"token", "on", "Ω", "a b", "12"});
      case TextFormat::kName: return pick({"a", "no", "0123", "A.b_c-d"});
      case TextFormat::kCidr: return pick({"10.0.0.0/8", "::1", "2001:db8::/32", "192.0.2.1"});
      case TextFormat::kToken:
      case TextFormat::kFieldName: return pick({"X-A", "~", "1", "Null"});
      case TextFormat::kFieldPattern: return pick({"X-*", "Server", "~"});
      case TextFormat::kFieldContent: return pick({"text/plain", "", "a\tb", "é"});
      case TextFormat::kTemplate:
        return pick({"{host}", "{{}}", "{header.X-A}:{port}", "", "a: b", "true", "{query.a b}"});
      case TextFormat::kLocation: return pick({"https://{host}{uri}", "/", "{path}"});
      case TextFormat::kPathTemplate: return pick({"/", "/a{path}", "{path}"});
      case TextFormat::kRegex: return pick({"^/v([0-9]+)$", "a|b", "\\d", "#"});
      case TextFormat::kPath: return pick({"/", "/a", "/a/b/", "/ü", "/%20"});
      case TextFormat::kFilePath: return pick({"/var/log/a", "/a b", "/ü"});
      case TextFormat::kListenAddress: return ":1";
      case TextFormat::kTargetAddress:
        return pick({"10.0.0.1:80", "[::1]:1", "a.internal:8080", "unix:/run/a b.sock", "srv:_h._tcp.a"});
      case TextFormat::kHostPattern: return pick({"a.test", "*.b.test", "[::1]", "192.0.2.1"});
      case TextFormat::kMethod: return pick({"GET", "M-SEARCH", "get"});
      case TextFormat::kRequestKey: return pick({"client_ip", "path", "header:X-A", "cookie:c", "query:q"});
      case TextFormat::kSplitKey: return pick({"client_ip", "header:X-A", "cookie:c", "query:q"});
      case TextFormat::kUpstreamHost: return pick({"keep", "target", "a.test", "a.test:81", "[::1]:5"});
      case TextFormat::kStatusRange: return pick({"200-299", "204", "100-599"});
      case TextFormat::kCheckHost: return pick({"a.test", "a.test:81", "[::1]:5"});
      case TextFormat::kRetryCondition: return pick({"connect_error", "reset_before_response", "502", "599"});
      case TextFormat::kStoredStatus: return "200";
      case TextFormat::kErrorStatus: return "404";
      case TextFormat::kParameterPattern: return pick({"utm_*", "v", "*", "a b", "Ω", "on"});
      case TextFormat::kCookiePattern: return pick({"session", "wordpress_logged_in_*", "*", "1"});
      case TextFormat::kPathPattern: return pick({"/cart*", "/", "/a/b", "/ü*"});
      case TextFormat::kRate: return pick({"50/s", "600/m", "1/d", "100/10s"});
      case TextFormat::kOctetRate: return pick({"2MiB/s", "100KiB/s"});
    }
    return {};
  }

  // From here on: what single values cannot know of each other.
  void name_entries(Json& json, const char* section, const std::vector<std::string>& names) {
    Json named = Json::object();
    const ValueType& item = *document_type().find(section)->type->item;
    for (const std::string& name : names) named[name] = object(*item.object);
    json[section] = std::move(named);
  }

  void listeners(Json& listeners) {
    int port = 1000;
    for (auto& listener : listeners) {
      tls(listener);
      listener.erase("address");
      listener.erase("addresses");
      if (chance(30)) {
        listener["address"] = fmt::format(":{}", ++port);
      } else {
        listener["addresses"] = Json::array({fmt::format("127.0.0.1:{}", ++port), fmt::format("unix:/run/{}", ++port)});
      }
    }
  }

  void tls(Json& listener) {
    if (listener.contains("protocols")) listener["protocols"] = Json::array({"h1"});
    if (!listener.contains("tls")) {
      if (chance(20)) listener["protocols"] = Json::array({"h2c"});
      return;
    }
    if (chance(50)) listener["protocols"] = Json::array({pick({"h1", "h2"}), "h2"});
    Json& tls = listener["tls"];
    if (tls.contains("certificates")) tls["certificates"] = Json::array({"site"});
    tls["default_certificate"] = "site";
  }

  // What the certificate is verified by is said, and files go in pairs.
  void balance(Json& upstream) {
    // A host may lead to all of them.
    if (upstream.contains("sticky")) upstream["sticky"]["cookie"] = fmt::format("at-{}", ++cookies_);
    if (upstream.value("balance", "") == "consistent_hash")
      upstream["hash_key"] = text(TextFormat::kRequestKey);
    else
      upstream.erase("hash_key");
  }

  void active_health(Json& active, const std::string& protocol) {
    active["type"] = protocol == "h1" ? pick({"http", "tcp"}) : pick({"http", "grpc"});
    if (active.contains("headers")) {
      for (auto& value : active["headers"]) value = pick({"Bearer x", "", "{{}}"});   // they know no variables
    }
    if (active["type"] != "grpc") active.erase("service");
    if (active["type"] == "http") return;
    for (const char* key : {"path", "expect_status", "expect_body"}) active.erase(key);
  }

  static void upstream_tls(Json& tls) {
    tls["sni"] = "a.test";
    if (tls.contains("certificate_file") == tls.contains("private_key_file")) return;
    tls.erase("certificate_file");
    tls.erase("private_key_file");
  }

  void cache_policy(Json& policy) {
    if (policy.contains("methods")) policy["methods"].push_back("GET");
    if (policy.contains("methods") && policy["methods"].size() > 3) policy["methods"] = Json::array({"GET", "POST"});
    const bool both = policy.contains("min_ttl") && policy.contains("max_ttl");
    if (both && chance(50)) policy["max_ttl"] = "52w";
    if (both && policy["max_ttl"] != "52w") policy.erase("min_ttl");
    if (policy.contains("slice")) policy["slice"] = format_size(static_cast<uint64_t>(between(1, 60)) << 20);
    if (policy.contains("max_object")) policy["max_object"] = format_size(static_cast<uint64_t>(between(1, 100)) << 30);
    if (policy.contains("key") && policy["key"].contains("query") && policy["key"]["query"].size() > 1)
      policy["key"]["query"].erase(pick({"only", "except"}));
  }

  void rate_limit(Json& limit) {
    if (limit.value("type", "") == "window" || limit.value("burst", 0) > 1000) limit.erase("burst");
    if (limit.contains("burst")) limit["rate"] = pick({"50/s", "600/m"});
    if (limit.contains("except")) limit["except"] = pick({"office", "bots"});
    if (limit.contains("fallback")) limit["fallback"] = "client_ip", limit["key"] = "header:X-A";
  }

  void on_the_way(Json& level) {
    if (level.contains("rate_limit") && !level["rate_limit"].is_null())
      level["rate_limit"] = chance(50) ? Json("per-ip") : Json::array({"api-key", "per-ip"});
    rewrite(level);
    if (level.contains("cache") && !level["cache"].is_null()) level["cache"] = pick({"static", "pages", "off"});
    if (level.contains("auth") && level["auth"].is_object()) auth(level["auth"]);
    if (level.contains("access") && !level["access"].is_null()) level["access"] = pick({"office", "bots"});
  }

  void auth(Json& auth) {
    auth.erase(pick({"basic", "jwt"}));
    if (auth.empty()) auth["basic"] = Json{{"realm", "a \"b\""}, {"users_file", "/ü"}};
  }

  static void rewrite(Json& level) {
    const auto rewrite = level.find("rewrite");
    if (rewrite == level.end() || !rewrite->is_object() || !rewrite->contains("path")) return;
    rewrite->erase("strip_prefix");
    rewrite->erase("add_prefix");
  }

  void host(Json& host, int number) {
    host["names"] = Json::array({fmt::format("h{}.test", number), fmt::format("*.h{}.test", number)});
    if (host.contains("listeners")) host["listeners"] = Json::array({"http"});
    if (host.contains("client_auth")) host["force_https"] = Json::object();
    if (host.contains("force_https"))
      host["force_https"] = Json{{"status", 302}, {"hsts", pick({"off", "1d", "2000ms"})}};
    if (host.contains("purge") && chance(50)) host["purge"]["allow"] = Json::array({"127.0.0.1"});
    if (host.contains("purge") && host["purge"].value("allow", Json::array()).empty())
      host["purge"]["token_file"] = "/etc/token";
    on_the_way(host);
    Json routes = Json::array();
    for (int i = 0; i < 4; ++i) {
      Json made = object(*document_type().find("hosts")->type->item->object->find("routes")->type->item->object);
      route(made, i);
      routes.push_back(std::move(made));
    }
    host["routes"] = std::move(routes);
  }

  void route(Json& route, int number) {
    route["name"] = fmt::format("r{}", number);
    on_the_way(route);
    if (route.contains("match")) {
      const std::string kept = pick({"path", "path_prefix", "path_regex"});
      for (const char* key : {"path", "path_prefix", "path_regex"}) {
        if (key != kept) route["match"].erase(key);
      }
    }
    const std::string action = pick({"upstream", "split", "redirect", "respond", "ready"});
    Json made = route.contains(action) ? route[action] : Json::object();
    for (const char* key : {"upstream", "split", "redirect", "respond", "ready"}) route.erase(key);
    if (action == "upstream") made = pick({"app", "api-next", "A.b_c"});
    if (action == "ready") made = true;
    if (action == "split") made["upstreams"] = Json{{"app", 3}, {"api-next", between(0, 9)}};
    if (action == "redirect")
      made["to"] = "/{host}", made["status"] = one_of(std::vector<int>{301, 302, 303, 307, 308});
    if (action == "respond" && made.contains("status")) made["status"] = 403;
    route[action] = std::move(made);
  }

  static void fit_file(Json& log) {
    if (log.value("to", "") == "file") {
      log["file"] = "/var/log/x";
    } else {
      log.erase("file");
    }
  }

  static void logging(Json& logging) {
    if (logging.contains("access")) {
      for (auto& log : logging["access"]) fit_file(log);
    }
    if (logging.contains("error")) fit_file(logging["error"]);
  }

  std::mt19937 random_;
  int cookies_ = 0;
};

}   // namespace

Json generated_document(uint32_t seed) { return Generator(seed).document(); }

}   // namespace proxyd::config
