#include "worker/caching/cache_key.h"

#include <algorithm>
#include <array>
#include <span>

#include "shared/base/bytes.h"
#include "worker/caching/field_lines.h"
#include "worker/caching/request_parts.h"

namespace proxyd::caching {
namespace {

// As frameworks that overlook such things read a name.
constexpr char folded(char c) { return c == '.' || c == ' ' ? '_' : ascii_lower(c); }

// Whether some origin could take a parameter of that name for the one that the pattern means.
bool could_be(const NamePattern& pattern, std::string_view name) {
  name = http::trim(name.substr(0, name.find('\0')));
  const std::string& text = pattern.text;
  if (name.size() < text.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (folded(name[i]) != folded(text[i])) return false;
  }
  return pattern.is_prefix || name.size() == text.size() || name[text.size()] == '[';
}

bool is_kept(const QueryParameter& parameter, const KeyRules& rules, http::Arena& arena) {
  if (parameter.text.find(';') != std::string_view::npos) return true;
  const std::string_view name = decoded_name(parameter.name, arena);
  if (rules.query == KeyRules::Query::kExcept) return !matches_any(rules.parameters, name);
  return std::any_of(rules.parameters.begin(), rules.parameters.end(),
                     [name](const NamePattern& pattern) { return could_be(pattern, name); });
}

// The parts of a query that are in the key, in the key's order.
class KeyQuery {
 public:
  KeyQuery(const Url& url, const KeyRules& rules, http::Arena& arena) {
    const bool all = rules.query == KeyRules::Query::kAll;
    if (all && url.query.find('&') == std::string_view::npos) {
      parts_[0] = url.query;
      count_ = url.has_query ? 1 : 0;
      return;
    }
    std::array<std::string_view, kMostSortedParameters> names;
    QueryParameters parameters(url.query, url.has_query);
    while (const auto parameter = parameters.next()) {
      if (!all && !is_kept(*parameter, rules, arena)) continue;
      if (count_ == parts_.size()) {
        keep_whole(url);
        return;
      }
      if (parameter->text.find(';') != std::string_view::npos) {   // which some take for an end of it
        keep_whole(url);
        return;
      }
      insert(names, decoded_name(parameter->name, arena), parameter->text);
    }
  }

  std::span<const std::string_view> parts() const { return {parts_.data(), count_}; }

 private:
  void keep_whole(const Url& url) {
    parts_[0] = url.query;
    count_ = 1;
  }

  // By the name that an origin reads, however it is written.
  void insert(std::array<std::string_view, kMostSortedParameters>& names, std::string_view name,
              std::string_view text) {
    size_t at = count_++;
    for (; at > 0 && name < names[at - 1]; --at) {
      names[at] = names[at - 1];
      parts_[at] = parts_[at - 1];
    }
    names[at] = name;
    parts_[at] = text;
  }

  std::array<std::string_view, kMostSortedParameters> parts_;
  size_t count_ = 0;
};

// Counts what a key will take.
struct Counter {
  size_t size = 0;
  void put(std::string_view text) { size += text.size(); }
};

struct Writer {
  char* to;
  void put(std::string_view text) { to = put_octets(to, text); }
};

template <class Sink>
void put_url(Sink& sink, const Url& url, std::span<const std::string_view> query) {
  sink.put(url.authority);
  sink.put(url.path);
  for (size_t i = 0; i < query.size(); ++i) {
    sink.put(i == 0 ? "?" : "&");
    sink.put(query[i]);
  }
}

template <class Sink>
void put_fields(Sink& sink, const http::Fields& fields, const KeyRules& rules, std::string_view partition) {
  for (const std::string& name : rules.headers) {
    sink.put("\n");
    sink.put(name);
    const std::string_view value = combined_lines(fields, name);
    if (!value.data()) continue;
    sink.put(":");
    sink.put(value);
  }
  for (const NamePattern& pattern : rules.cookies) {
    CookiePairs cookies(fields);
    while (const auto cookie = cookies.next()) {
      if (!pattern.matches(cookie->name)) continue;
      sink.put("\n;");
      sink.put(cookie->text);
    }
  }
  if (partition.empty()) return;
  sink.put("\n@");
  sink.put(partition);
}

}   // namespace

std::optional<CacheKey> cache_key(const Url& url, const http::Fields& request_fields, const KeyRules& rules,
                                  std::string_view partition) {
  http::Arena& arena = request_fields.arena();
  const std::string_view scheme = http::to_string(url.scheme);
  CacheKey key;
  key.url_begin = scheme.size() + 3;
  const bool plain = !url.has_query && rules.headers.empty() && rules.cookies.empty();   // as most are
  key.url_end = key.url_begin + url.authority.size() + url.path.size();
  if (plain && key.url_end + partition.size() + 2 <= kMostKey) {
    key.text = arena.concat(scheme, "://", url.authority, url.path, partition.empty() ? "" : "\n@", partition);
    return key;
  }
  const KeyQuery query(url, rules, arena);
  Counter counter;
  put_url(counter, url, query.parts());
  key.url_end = key.url_begin + counter.size;
  put_fields(counter, request_fields, rules, partition);
  const size_t size = key.url_begin + counter.size;
  if (size > kMostKey) return std::nullopt;
  char* const text = arena.allocate_text(size);
  Writer writer{text};
  writer.put(scheme);
  writer.put("://");
  put_url(writer, url, query.parts());
  put_fields(writer, request_fields, rules, partition);
  key.text = {text, size};
  return key;
}

}   // namespace proxyd::caching
