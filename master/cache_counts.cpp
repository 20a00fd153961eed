#include "master/cache_counts.h"

#include <algorithm>
#include <string_view>

#include "shared/metrics/cache_words.h"
#include "shared/metrics/labels.h"

namespace proxyd::master {
namespace {

bool ends_with_label(const std::string& labels, const char* name, std::string_view value) {
  return labels.ends_with(metrics::label(name, value));
}

template <class Words>
void count(std::map<std::string, uint64_t>& sums, const Words& words, const std::string& labels, const char* name,
           uint64_t value) {
  for (const std::string_view word : words) {
    if (!word.empty() && ends_with_label(labels, name, word)) sums[std::string(word)] += value;
  }
}

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? -1 : static_cast<double>(std::min(part, whole)) / static_cast<double>(whole);
}

}   // namespace

double CacheCounts::by_requests() const {
  uint64_t served = 0;
  uint64_t all = 0;
  for (size_t i = 0; i < metrics::kCacheResults.size(); ++i) {
    const auto found = results.find(std::string(metrics::kCacheResults[i]));
    if (found == results.end()) continue;
    all += found->second;
    if (metrics::is_served(static_cast<metrics::CacheResult>(i))) served += found->second;
  }
  return share(served, all);
}

double CacheCounts::by_bytes() const { return share(served_bytes, sent_bytes); }

CacheCounts cache_counts(const metrics::MetricsRegion& region) {
  CacheCounts counts;
  for (const metrics::Series& one : region.series()) {
    if (one.name == "proxyd_cache_requests_total")
      count(counts.results, metrics::kCacheResults, one.labels, "result", region.sum(one.row));
    if (one.name == "proxyd_cache_reasons_total")
      count(counts.reasons, metrics::kCacheReasons, one.labels, "reason", region.sum(one.row));
    if (one.name != "proxyd_cache_served_bytes_total") continue;
    counts.served_bytes += region.sum(one.row);
    const auto sent = region.find("proxyd_http_response_bytes_total", one.labels);
    if (sent) counts.sent_bytes += region.sum(*sent);
  }
  return counts;
}

std::map<std::string, uint64_t> reasons_of_route(const metrics::MetricsRegion& region, const std::string& host,
                                                 const std::string& route) {
  std::map<std::string, uint64_t> counts;
  for (const std::string_view word : metrics::kCacheReasons) {
    const auto row = region.find("proxyd_cache_reasons_total",
                                 metrics::with(metrics::route_labels(host, route), metrics::label("reason", word)));
    if (row) counts[std::string(word)] = region.sum(*row);
  }
  return counts;
}

void note_accounts(const metrics::MetricsRegion& region, const cache::Accounts& accounts) {
  const auto note = [&region](std::string_view name, uint64_t value) {
    region.cell(metrics::MetricsRegion::kMasterSlot, name, "").set(value);
  };
  note("proxyd_cache_objects", accounts.objects);
  note("proxyd_cache_bytes", accounts.used);
  note("proxyd_cache_capacity_bytes", accounts.memory_limit);
  note("proxyd_cache_purges_total", accounts.published);
  note("proxyd_cache_evicted_total", accounts.evicted);
  note("proxyd_cache_expired_total", accounts.expired);
  note("proxyd_cache_purged_total", accounts.purged);
  note("proxyd_cache_refused_total", accounts.refused);
  note("proxyd_cache_no_room_total", accounts.no_room);
  note("proxyd_cache_pins_full_total", accounts.pins_full);
  note("proxyd_cache_lock_busy_total", accounts.lock_busy);
  note("proxyd_cache_fills_taken_over_total", accounts.taken_over);
  note("proxyd_cache_repairs_total", accounts.shard_repairs + accounts.class_repairs);
}

}   // namespace proxyd::master
