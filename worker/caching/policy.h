#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/config/model.h"
#include "worker/http/field_name.h"
#include "worker/http/method.h"

namespace proxyd::caching {

// A name as policies write it: itself, or a beginning that ends in `*`.
struct NamePattern {
  std::string text;   // without the star
  bool is_prefix = false;

  static NamePattern from(std::string_view written) {
    const bool prefix = written.ends_with('*');
    return {std::string(prefix ? written.substr(0, written.size() - 1) : written), prefix};
  }
  bool matches(std::string_view name) const { return is_prefix ? name.starts_with(text) : name == text; }
};

inline bool matches_any(const std::vector<NamePattern>& patterns, std::string_view name) {
  for (const NamePattern& pattern : patterns) {
    if (pattern.matches(name)) return true;
  }
  return false;
}

// What of a request is part of the key beside scheme, authority and path.
struct KeyRules {
  using Query = config::CacheKeyRules::Query;

  Query query = Query::kAll;
  std::vector<NamePattern> parameters;   // for kOnly and kExcept
  std::vector<std::string> headers;
  std::vector<NamePattern> cookies;
};

// Requests that go to the origin, neither looked up nor stored: one that has any of these.
struct BypassRules {
  std::vector<NamePattern> cookies;
  std::vector<std::string> headers;
  std::vector<NamePattern> query;
  std::vector<NamePattern> paths;
};

using config::RangeMode;
using config::StoreSetCookie;

// One entry of `cache_policies` with the defaults of the document, as the rules need it: durations in milliseconds.
// Compiled once a snapshot, immutable, owned by its configuration.
struct Policy {
  static constexpr int64_t kNoLimit = INT64_MAX;

  std::vector<http::Method> methods = {http::Method::kGet, http::Method::kHead};
  std::vector<std::pair<int, int64_t>> default_ttl;   // status → lifetime, where the origin gives none
  int64_t min_ttl = 0;
  int64_t max_ttl = kNoLimit;
  bool heuristic = false;
  KeyRules key;
  BypassRules bypass;
  bool ignore_cache_control = false;
  bool ignore_expires = false;
  bool ignore_pragma = false;
  bool ignore_vary = false;
  bool ignore_cookies = false;
  StoreSetCookie store_set_cookie = StoreSetCookie::kNo;
  RangeMode range = RangeMode::kFull;            // never kSlice
  uint64_t slice = 0;                            // octets; 0: no slices
  std::shared_ptr<const Policy> of_each_slice;   // this one with kPass, where there are slices
  int64_t stale_while_revalidate = 0;
  int64_t stale_if_error = 0;
  int64_t collapse_timeout = config::CachePolicy().collapse_timeout.count();
  std::vector<std::string> targeted = config::CachePolicy().targeted;
  std::vector<std::string> tag_headers = config::CachePolicy().tag_headers;
  uint64_t tag_names = http::bit_of(http::FieldName::kOther);   // their bits
  bool expose_tags = false;
  uint64_t max_object = config::CachePolicy().max_object;

  bool has_method(http::Method method) const {
    for (const http::Method one : methods) {
      if (one == method) return true;
    }
    return false;
  }
  std::optional<int64_t> default_ttl_of(int status) const {
    for (const auto& [code, lifetime] : default_ttl) {
      if (code == status) return lifetime;
    }
    return std::nullopt;
  }
  // The operator said which cookies change an answer, or that none does.
  bool knows_cookies() const { return ignore_cookies || !key.cookies.empty() || !bypass.cookies.empty(); }
};

}   // namespace proxyd::caching
