#include "shared/cache/subjects.h"

#include <algorithm>

namespace proxyd::cache {
namespace {

// URL, authority, its name alone, folders, any tag or all tags, everything.
static_assert(3 + kPrefixDepth + kMostTagStamps + 1 <= kMostStamps);

std::string_view authority_of(std::string_view url) { return url.substr(0, url.find('/')); }

// "[::1]:80" has a port behind its bracket, "::1" cannot be.
std::string_view without_port(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  const bool port = colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
  return port ? authority.substr(0, colon) : authority;
}

// Calls `visit` with "authority/a/", "authority/a/b/", … to kPrefixDepth.
template <class Visit>
void each_folder(std::string_view path_on_authority, Visit visit) {
  size_t slash = path_on_authority.find('/');
  for (uint32_t depth = 0; depth < kPrefixDepth && slash != std::string_view::npos; ++depth) {
    slash = path_on_authority.find('/', slash + 1);
    if (slash != std::string_view::npos) visit(path_on_authority.substr(0, slash + 1));
  }
}

}   // namespace

std::string_view url_of_key(std::string_view key) {
  constexpr std::string_view kBehindScheme = "://";
  const std::string_view line = key.substr(0, key.find('\n'));
  const size_t scheme = line.find(kBehindScheme);
  return scheme == std::string_view::npos ? line : line.substr(scheme + kBehindScheme.size());
}

uint32_t stamps_without_tags(std::string_view url) {
  const std::string_view authority = authority_of(url);
  uint32_t count = without_port(authority).size() == authority.size() ? 3 : 4;
  each_folder(url.substr(0, url.find('?')), [&count](std::string_view) { ++count; });
  return count;
}

StampList stamps_of(const PurgeStamps& stamps, std::string_view url, std::span<const std::string_view> tags,
                    bool more_tags) {
  StampList list;
  const std::string_view authority = authority_of(url);
  const std::string_view name = without_port(authority);
  list.add(stamps.stamp_of(StampKind::url, url));
  list.add(stamps.stamp_of(StampKind::host, authority));
  if (name.size() != authority.size()) list.add(stamps.stamp_of(StampKind::host, name));
  each_folder(url.substr(0, url.find('?')),
              [&](std::string_view prefix) { list.add(stamps.stamp_of(StampKind::prefix, prefix)); });
  list.add(stamps.stamp_of(StampKind::everything, {}));
  if (more_tags || tags.size() > kMostTagStamps) {
    list.add(stamps.stamp_of(StampKind::any_tag, {}));
    return list;
  }
  for (const std::string_view tag : tags) list.add(stamps.stamp_of(StampKind::tag, tag));
  return list;
}

bool StampList::add_others(std::span<const uint32_t> others) {
  const uint32_t before = count;
  for (const uint32_t stamp : others) {
    const auto own = std::span(room).first(before);
    if (std::find(own.begin(), own.end(), stamp) != own.end()) continue;
    if (count == room.size()) return false;
    add(stamp);
  }
  return true;
}

void PurgeList::add_prefix(std::string_view prefix) {
  std::string_view folder;
  each_folder(prefix, [&folder](std::string_view deeper) { folder = deeper; });
  if (folder.empty()) return add_host(authority_of(prefix));
  add(StampKind::prefix, folder);
}

void PurgeList::add_tag(std::string_view tag) {
  add(StampKind::tag, tag);
  add(StampKind::any_tag, {});
}

void PurgeList::add(StampKind kind, std::string_view text) {
  const uint32_t word = stamps_.stamp_of(kind, text);
  const auto place = std::lower_bound(words_.begin(), words_.end(), word);
  if (place == words_.end() || *place != word) words_.insert(place, word);
}

}   // namespace proxyd::cache
