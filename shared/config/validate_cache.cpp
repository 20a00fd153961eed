#include "shared/config/validate_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/base/bytes.h"
#include "shared/config/json_read.h"
#include "shared/config/units.h"

namespace proxyd::config {
namespace {

void check_methods(const CachePolicy& policy, const std::string& pointer, FindingsList& findings) {
  if (std::find(policy.methods.begin(), policy.methods.end(), "GET") != policy.methods.end()) return;
  findings.problem(pointer + "/methods", "value",
                   "must have GET: what is stored answers a GET, and a HEAD is answered from the same");
}

void check_lifetimes(const CachePolicy& policy, const std::string& pointer, FindingsList& findings) {
  if (!policy.min_ttl || !policy.max_ttl || *policy.min_ttl <= *policy.max_ttl) return;
  findings.problem(pointer + "/min_ttl", "range",
                   fmt::format("{} is more than max_ttl, {}", format_duration(policy.min_ttl->count()),
                               format_duration(policy.max_ttl->count())));
}

void check_key(const Json& policy, const std::string& pointer, FindingsList& findings) {
  const Json& query = part(part(policy, "key"), "query");
  if (!member(query, "only") || !member(query, "except")) return;
  findings.problem(pointer + "/key/query", "exclusive", "give either 'only' or 'except'");
}

void check_targeted(const CachePolicy& policy, const std::string& pointer, FindingsList& findings) {
  for (size_t i = 0; i < policy.targeted.size(); ++i) {
    if (!equals_ignoring_case(policy.targeted[i], "Cache-Control")) continue;
    findings.problem(fmt::format("{}/targeted/{}", pointer, i), "value",
                     "'Cache-Control' is for every cache and read anyway; name fields that go before it");
  }
}

void check_slice(const CachePolicy& policy, const Json& json, const std::string& pointer, FindingsList& findings) {
  if (policy.range != RangeMode::kSlice) {
    if (member(json, "slice")) findings.warning(pointer + "/slice", "no-effect", "it is for 'range: slice' alone");
  } else if (policy.slice > policy.max_object) {
    findings.problem(pointer + "/slice", "range",
                     fmt::format("{} is more than max_object, {}: no part would be stored", format_size(policy.slice),
                                 format_size(policy.max_object)));
  }
}

void warn_of_large_objects(const Document& document, const Json& json, const std::string& pointer, uint64_t largest,
                           FindingsList& findings) {
  if (!member(json, "max_object") || !document.cache.memory || largest <= *document.cache.memory) return;
  findings.warning(pointer + "/max_object", "no-effect",
                   fmt::format("the whole cache has {}, so nothing as large as {} is stored",
                               format_size(*document.cache.memory), format_size(largest)));
}

}   // namespace

void validate_cache(const Document& document, const Json& canonical, FindingsList& findings) {
  warn_of_large_objects(document, part(canonical, "cache"), "/cache", document.cache.max_object, findings);
  for (const auto& [name, policy] : document.cache_policies) {
    const std::string pointer = fmt::format("/cache_policies/{}", name);
    const Json& json = part(part(canonical, "cache_policies"), name.c_str());
    if (name == "off")
      findings.problem(pointer, "name", "'off' is how a route says that nothing is cached; take another name");
    check_methods(policy, pointer, findings);
    check_lifetimes(policy, pointer, findings);
    check_key(json, pointer, findings);
    check_targeted(policy, pointer, findings);
    check_slice(policy, json, pointer, findings);
    warn_of_large_objects(document, json, pointer, policy.max_object, findings);
  }
}

void validate_purge(const Purge& purge, const std::string& pointer, FindingsList& findings) {
  if (!purge.allow.empty() || purge.token_file) return;
  findings.problem(pointer, "missing", "nobody could purge: give 'allow', 'token_file', or both");
}

}   // namespace proxyd::config
