#include "worker/caching/cache_policies.h"

#include <algorithm>

#include "shared/base/bytes.h"

namespace proxyd::caching {
namespace {

using Strings = std::vector<std::string>;

int64_t milliseconds(const config::MaybeDuration& duration, int64_t off) { return duration ? duration->count() : off; }

std::vector<NamePattern> patterns(const Strings& written) {
  std::vector<NamePattern> compiled;
  for (const std::string& text : written) compiled.push_back(NamePattern::from(text));
  return compiled;
}

// In one order, each once: policies that mean the same make the same keys.
Strings in_order(Strings texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts;
}

Strings lower_case(Strings names) {
  for (std::string& name : names) std::transform(name.begin(), name.end(), name.begin(), ascii_lower);
  return names;
}

KeyRules compile_key(const config::CacheKeyRules& rules) {
  return {.query = rules.query,
          .parameters = patterns(rules.parameters),
          .headers = in_order(lower_case(rules.headers)),
          .cookies = patterns(in_order(rules.cookies))};
}

Policy compile(const config::CachePolicy& from) {
  Policy policy;
  policy.methods.clear();
  for (const std::string& method : from.methods) policy.methods.push_back(http::method_from(method));
  for (const auto& [status, lifetime] : from.default_ttl) policy.default_ttl.emplace_back(status, lifetime.count());
  policy.min_ttl = milliseconds(from.min_ttl, 0);
  policy.max_ttl = milliseconds(from.max_ttl, Policy::kNoLimit);
  policy.heuristic = from.heuristic;
  policy.key = compile_key(from.key);
  policy.bypass = {.cookies = patterns(from.bypass.cookies),
                   .headers = from.bypass.headers,
                   .query = patterns(from.bypass.query),
                   .paths = patterns(from.bypass.paths)};
  policy.ignore_cache_control = from.ignore_cache_control;
  policy.ignore_expires = from.ignore_expires;
  policy.ignore_pragma = from.ignore_pragma;
  policy.ignore_vary = from.ignore_vary;
  policy.ignore_cookies = from.ignore_cookies;
  policy.store_set_cookie = from.store_set_cookie;
  policy.range = from.range == RangeMode::kPass ? RangeMode::kPass : RangeMode::kFull;
  policy.stale_while_revalidate = milliseconds(from.stale_while_revalidate, 0);
  policy.stale_if_error = milliseconds(from.stale_if_error, 0);
  policy.collapse_timeout = from.collapse_timeout.count();
  policy.targeted = from.targeted;
  policy.tag_headers = from.tag_headers;
  policy.tag_names = 0;
  for (const std::string& name : from.tag_headers) policy.tag_names |= http::bit_of(http::field_name_from(name));
  policy.expose_tags = from.expose_tags;
  policy.max_object = from.max_object;
  if (from.range != RangeMode::kSlice) return policy;
  policy.slice = from.slice;
  Policy of_each_slice = policy;
  of_each_slice.range = RangeMode::kPass;
  policy.of_each_slice = std::make_shared<const Policy>(std::move(of_each_slice));
  return policy;
}

}   // namespace

CachePolicies::CachePolicies(const config::Document& document) {
  for (const auto& [name, policy] : document.cache_policies) by_name_.emplace(name, compile(policy));
}

const Policy* CachePolicies::of_route(const config::Route& route) const {
  const auto found = route.cache ? by_name_.find(*route.cache) : by_name_.end();
  return found == by_name_.end() ? nullptr : &found->second;
}

}   // namespace proxyd::caching
