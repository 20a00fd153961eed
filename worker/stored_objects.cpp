#include "worker/stored_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "shared/base/bytes.h"
#include "shared/config/units.h"
#include "worker/asked_request.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::worker {
namespace {

using nlohmann::json;

constexpr uint32_t kRowsAtOnce = 64;
constexpr uint32_t kObjectCosts = 8;   // in rows: it is pinned and compared
constexpr uint32_t kMostRows = 8192;
constexpr uint64_t kMostItems = 200;
constexpr size_t kShown = 1024;   // octets of a key, of each of its parts

// ASCII as it is, the rest percent-encoded, so that whatever a client sent can be shown.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kShown)) {
    const bool plain = c > 0x20 && c < 0x7f;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out + (text.size() > kShown ? "..." : "");
}

std::string from_hex(const std::string& text) {
  std::string octets;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    octets += static_cast<char>(hex_value(text[i]) * 16 + hex_value(text[i + 1]));
  return octets;
}

// Cookies and credentials by their names alone.
std::string shown_part(std::string_view part) {
  const std::string_view name = part.substr(0, part.find(':'));
  if (part.starts_with(';')) return shown(part.substr(0, part.find('='))) + "=...";
  if (name.size() < part.size() && (name == "cookie" || name == "authorization")) return shown(name) + ":...";
  return shown(part);
}

struct Key {
  explicit Key(std::string_view text) : url(text.substr(0, text.find('\n'))) {
    text.remove_prefix(url.size());
    while (!text.empty()) {
      text.remove_prefix(1);
      const std::string_view part = text.substr(0, text.find('\n'));
      text.remove_prefix(part.size());
      parts.push_back(shown_part(part));
    }
  }
  std::string_view url;   // with the scheme
  std::vector<std::string> parts;

  std::string_view without_scheme() const { return url.substr(std::min(url.size(), url.find("://") + 3)); }
};

std::string duration(int64_t milliseconds) { return config::format_duration(milliseconds / 1000 * 1000); }

void describe_response(const cache::StoredResponse& stored, uint64_t sequence, int64_t now, json& item) {
  const caching::Freshness freshness = proxy::freshness_of(stored);
  const cache::Purged purged = stored.purged(sequence);
  const int64_t remaining = freshness.remaining(now);
  item["status"] = freshness.status;
  item["age"] = duration(freshness.age(now));
  item["lifetime"] = duration(freshness.lifetime);
  item["lifetime_from"] = std::string(caching::to_string(freshness.source));
  if (remaining > 0) item["fresh_for"] = duration(remaining);
  if (remaining <= 0) item["stale_for"] = duration(-remaining);
  if (freshness.stale_while_revalidate > 0) item["stale_while_revalidate"] = duration(freshness.stale_while_revalidate);
  if (freshness.stale_if_error > 0) item["stale_if_error"] = duration(freshness.stale_if_error);
  if (purged == cache::Purged::soft) item["soft_purged"] = true;
  if (const auto length = stored.length()) item["bytes"] = *length;
  if (stored.state() != cache::State::complete) {
    item["state"] = "filling";
    item["filled"] = stored.filled();
  } else if (purged == cache::Purged::hard) {
    item["state"] = "purged";
  } else {
    item["state"] = remaining > 0 && purged == cache::Purged::no ? "fresh" : "stale";
  }
}

// What of the objects is wanted.
class Filter {
 public:
  Filter(const cache::PurgeStamps& stamps, const json& question)
      : host_(text_in(question, "host", "")),
        prefix_(text_in(question, "prefix", "")),
        key_(from_hex(text_in(question, "key", ""))),
        tag_(text_in(question, "tag", "")) {
    const size_t scheme = prefix_.find("://");   // as in a purge it may be there, and is of no account
    if (scheme != std::string::npos) prefix_.erase(0, scheme + 3);
    std::transform(host_.begin(), host_.end(), host_.begin(), ascii_lower);
    if (tag_.empty()) return;
    tag_stamp_ = stamps.stamp_of(cache::StampKind::tag, tag_);
    any_tag_stamp_ = stamps.stamp_of(cache::StampKind::any_tag, {});
  }

  bool takes(const cache::StoredResponse& stored) const {
    const std::string_view text = stored.key();
    const bool of_key = text.starts_with(key_) && (text.size() == key_.size() || text[key_.size()] == '\n');
    if (!key_.empty() && !of_key) return false;
    const Key key(text);
    const std::string_view authority = key.without_scheme().substr(0, key.without_scheme().find('/'));
    const bool of_host = authority == host_ || (authority.starts_with(host_) && authority[host_.size()] == ':');
    if (!host_.empty() && !of_host) return false;
    if (!key.without_scheme().starts_with(prefix_)) return false;
    if (tag_.empty()) return true;
    if (!stored.has_head()) return false;
    const auto stamps = stored.stamps();
    return std::any_of(stamps.begin(), stamps.end(),
                       [this](uint32_t one) { return one == tag_stamp_ || one == any_tag_stamp_; });
  }

 private:
  std::string host_;
  std::string prefix_;
  std::string key_;
  std::string tag_;
  uint32_t tag_stamp_ = 0;
  uint32_t any_tag_stamp_ = 0;
};

}   // namespace

json describe_key(std::string_view text) {
  const Key key(text);
  return {{"url", shown(key.url)}, {"key", key.parts}};
}

json describe_object(const cache::StoredResponse& stored, uint64_t sequence, int64_t now) {
  json item = describe_key(stored.key());
  if (stored.state() == cache::State::pass) {
    item["state"] = "pass";
    item["for"] = duration(std::max<int64_t>(0, stored.keep_until() - now));
  } else if (!stored.has_head()) {
    item["state"] = "filling";
  } else if (stored.kind() == cache::Kind::vary_head) {
    item["state"] = stored.purged(sequence) == cache::Purged::hard ? "purged" : "varies";
    item["vary"] = shown(proxy::vary_head_of(stored).list);
    item["for"] = duration(std::max<int64_t>(0, stored.keep_until() - now));
  } else {
    describe_response(stored, sequence, now, item);
  }
  return item;
}

json list_objects(cache::Cache& cache, const json& question, int64_t now) {
  const Filter filter(cache.stamps(), question);
  const uint64_t limit = std::min(question.value("limit", kMostItems), kMostItems);
  auto cursor = question.value("cursor", cache::ObjectIndex{0});
  const uint64_t sequence = cache.published();
  json items = json::array();
  for (uint32_t rows = 0; rows < kMostRows && items.size() < limit;) {
    const cache::Cache::Step step = cache.walk(cursor, kRowsAtOnce);
    rows += step.response ? kObjectCosts : kRowsAtOnce;
    if (step.response && filter.takes(step.response)) items.push_back(describe_object(step.response, sequence, now));
    cursor = step.next;
    if (cursor == 0) break;
  }
  return {{"items", std::move(items)}, {"next", cursor}};
}

}   // namespace proxyd::worker
