#include <gtest/gtest.h>

#include "shared/config/decode.h"

namespace proxyd::config {
namespace {

Document document_of(const std::string& text) {
  const Decoded decoded = decode("version: 1\n" + text, Format::kYaml);
  EXPECT_TRUE(decoded.valid()) << text << (decoded.valid() ? "" : decoded.problems.front().message);
  if (!decoded.valid()) return {};
  EXPECT_EQ(decode(to_yaml(decoded.canonical), Format::kYaml).document, decoded.document) << to_yaml(decoded.canonical);
  EXPECT_EQ(decode(expanded(decoded.canonical)).document, decoded.document) << expanded(decoded.canonical).dump(1);
  return decoded.document;
}

CachePolicy policy_of(const std::string& rules) {
  const Document document = document_of("cache_policies: { p: { " + rules + " } }\n");
  return document.cache_policies.empty() ? CachePolicy() : document.cache_policies.at("p");
}

// "pointer;" of each warning.
std::string warnings_of(const std::string& text) {
  const Decoded decoded = decode("version: 1\n" + text, Format::kYaml);
  EXPECT_TRUE(decoded.valid()) << text << (decoded.valid() ? "" : decoded.problems.front().message);
  std::string pointers;
  for (const Problem& warning : decoded.warnings) pointers += warning.pointer + ";";
  return pointers;
}

TEST(CachePolicy, WithoutAWordStoresWhatTheOriginCallsFresh) {
  EXPECT_EQ(policy_of(""), CachePolicy{.name = "p"});
  EXPECT_TRUE(CachePolicy().default_ttl.empty());
  EXPECT_FALSE(CachePolicy().heuristic);
}

TEST(CachePolicy, HasEachOfItsKeys) {
  const CachePolicy policy = policy_of(
      "methods: [GET, POST], default_ttl: { 200: 1d, \"404\": 0s }, min_ttl: 1m, max_ttl: 7d, heuristic: on, "
      "ignore: [Expires, Vary], ignore_cookies: true, store_set_cookie: strip, range: pass, "
      "stale_while_revalidate: 1h, stale_if_error: 1d, collapse: { timeout: 2s }, targeted: [A-Cache-Control], "
      "tags: { headers: [X-Tags], expose: true }, max_object: 2MiB, key: { query: { only: [v] }, headers: [X-A], "
      "cookies: [c] }, bypass: { cookies: [\"s*\"], headers: [Authorization], query: [q], paths: [\"/cart*\"] }");
  const CachePolicy expected{
      .name = "p",
      .methods = {"GET", "POST"},
      .default_ttl = {{200, seconds(86400)}, {404, seconds(0)}},
      .min_ttl = seconds(60),
      .max_ttl = seconds(7 * 86400),
      .heuristic = true,
      .key = {CacheKeyRules::Query::kOnly, {"v"}, {"X-A"}, {"c"}},
      .bypass = {.cookies = {"s*"}, .headers = {"Authorization"}, .query = {"q"}, .paths = {"/cart*"}},
      .ignore_expires = true,
      .ignore_vary = true,
      .ignore_cookies = true,
      .store_set_cookie = StoreSetCookie::kStrip,
      .range = RangeMode::kPass,
      .stale_while_revalidate = seconds(3600),
      .stale_if_error = seconds(86400),
      .collapse_timeout = seconds(2),
      .targeted = {"A-Cache-Control"},
      .tag_headers = {"X-Tags"},
      .expose_tags = true,
      .max_object = 2 << 20};
  EXPECT_EQ(policy, expected);
  EXPECT_TRUE(policy_of("ignore: [Cache-Control]").ignore_cache_control);
  EXPECT_TRUE(policy_of("ignore: [Pragma]").ignore_pragma);
}

TEST(CachePolicy, TellsAQueryOfNothingFromAWholeOne) {
  using Query = CacheKeyRules::Query;
  EXPECT_EQ(policy_of("key: { query: {} }").key.query, Query::kAll);
  EXPECT_EQ(policy_of("key: { query: { only: [] } }").key.query, Query::kOnly);
  EXPECT_EQ(policy_of("key: { query: { except: [\"utm_*\"] } }").key.query, Query::kExcept);
}

TEST(CachePolicy, WithOffIsWithoutALimitOrAStaleAnswer) {
  const CachePolicy policy = policy_of("min_ttl: off, max_ttl: off, stale_while_revalidate: off, stale_if_error: off");
  EXPECT_EQ(policy, CachePolicy{.name = "p"});
}

TEST(CachePolicy, TakesTheLargestObjectOfTheCacheUnlessItSays) {
  const Document document =
      document_of("cache: { max_object: 1GiB }\ncache_policies: { a: {}, b: { max_object: 1MiB } }\n");
  EXPECT_EQ(document.cache_policies.at("a").max_object, 1u << 30);
  EXPECT_EQ(document.cache_policies.at("b").max_object, 1u << 20);
}

TEST(CacheSizes, AreTheDefaultsUnlessSaid) {
  EXPECT_EQ(document_of("").cache, Cache());
  EXPECT_EQ(document_of("cache: { memory: 512MiB }\n").cache.memory, kDefaultCacheMemory);
  EXPECT_EQ(document_of("").cache.memory, std::nullopt);
}

// The choice of the one route of the one host, after what defaults, host and route say.
std::optional<std::string> choice_of(const std::string& defaults, const std::string& host, const std::string& route) {
  const auto said = [](const std::string& choice) { return choice.empty() ? "" : ", cache: " + choice; };
  const Document document =
      document_of("cache_policies: { a: {}, b: {} }\nupstreams: { u: {} }\ndefaults: { raw_path: true" +
                  said(defaults) + " }\nhosts: { h: { names: [a.test]" + said(host) +
                  ", routes: [ { name: r, upstream: u" + said(route) + " } ] } }\n");
  return document.hosts.empty() ? std::nullopt : document.hosts.at("h").routes.at(0).cache;
}

TEST(CacheChoice, IsTheInnermostAndOffWithoutAWord) {
  EXPECT_EQ(choice_of("", "", ""), std::nullopt);
  EXPECT_EQ(choice_of("a", "", ""), "a");
  EXPECT_EQ(choice_of("a", "b", ""), "b");
  EXPECT_EQ(choice_of("a", "off", "b"), "b");
  EXPECT_EQ(choice_of("a", "", "off"), std::nullopt);
  EXPECT_EQ(choice_of("a", "null", ""), std::nullopt);
  EXPECT_EQ(choice_of("null", "b", "null"), std::nullopt);
}

TEST(CacheStatus, IsOnUnlessSwitchedOff) {
  EXPECT_TRUE(document_of("").cache_status);
  EXPECT_FALSE(document_of("defaults: { cache_status: off }\n").cache_status);
}

TEST(SplitCache, IsSeparateUnlessShared) {
  const auto cache = [](const std::string& more) {
    const std::string route = "{ name: r, split: { upstreams: { u: 1 }" + more + " } }";
    const Document document =
        document_of("upstreams: { u: {} }\nhosts: { h: { names: [a.test], routes: [ " + route + " ] } }\n");
    return document.hosts.at("h").routes.at(0).split->cache;
  };
  EXPECT_EQ(cache(""), SplitCache::kSeparate);
  EXPECT_EQ(cache(", cache: separate"), SplitCache::kSeparate);
  EXPECT_EQ(cache(", cache: shared"), SplitCache::kShared);
}

TEST(Purge, IsAHostsAndHardByDefault) {
  const auto purge = [](const std::string& more) {
    return document_of("hosts: { h: { names: [a.test]" + more + " } }\n").hosts.at("h").purge;
  };
  EXPECT_EQ(purge(""), std::nullopt);
  EXPECT_EQ(purge(", purge: { allow: [127.0.0.1/32] }"), (Purge{.allow = {"127.0.0.1/32"}}));
  EXPECT_EQ(purge(", purge: { token_file: /etc/token, mode: soft, tags: [X-T] }"),
            (Purge{.token_file = "/etc/token", .mode = PurgeMode::kSoft, .tags = {"X-T"}}));
}

TEST(Warnings, NameAKeyOfTheCacheThatChangesNothing) {
  const std::string host = "hosts: { h: { names: [a.test], routes: [ { name: r, respond: {}, cache: ";
  EXPECT_EQ(warnings_of("cache: { memory: 16MiB, max_object: 32MiB }\n"), "/cache/max_object;");
  EXPECT_EQ(warnings_of("cache: { memory: 16MiB }\ncache_policies: { p: { max_object: 1GiB }, q: {} }\n"),
            "/cache_policies/p/max_object;");
  EXPECT_EQ(warnings_of("cache_policies: { p: {} }\n" + host + "p } ] } }\n"), "/hosts/h/routes/0/cache;");
  EXPECT_EQ(warnings_of(host + "off } ] } }\n"), "");
}

TEST(Differences, OfTheCacheAreLive) {
  const auto canonical = [](const std::string& text) { return decode("version: 1\n" + text, Format::kYaml).canonical; };
  const auto changes =
      diff(canonical("cache_policies: { p: { key: { query: { only: [a] } } } }\n"),
           canonical("cache: { memory: 1GiB }\ncache_policies: { p: { key: { query: { only: [b] } } } }\n"));
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].pointer, "/cache");
  EXPECT_EQ(changes[1].pointer, "/cache_policies/p/key/query/only");
  EXPECT_EQ(changes[0].change_class, "live");
  EXPECT_EQ(changes[1].change_class, "live");
}

}   // namespace
}   // namespace proxyd::config
