#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "shared/cache/fill.h"
#include "shared/cache/purge.h"

// What a purge can name, as the texts that stamps are made of: who stores and who purges must spell them alike. A URL
// is the key's "authority/path?query" (no scheme, a port only where it is not the scheme's, the query as the key rules
// left it); an authority is that beginning of it; a prefix "authority/folder/…/" ends in a slash; a tag is itself.
namespace proxyd::cache {

inline constexpr uint32_t kPrefixDepth = 8;     // folders of a path that have stamps of their own
inline constexpr size_t kMostTagStamps = 128;   // above, an object carries that of any tag

// The URL in a key that has one: what lies between its scheme and the first line's end. Else the key.
std::string_view url_of_key(std::string_view key);
// How many stamps an object of this URL has beside those of its tags.
uint32_t stamps_without_tags(std::string_view url);

// The stamps that an object carries.
struct StampList {
  std::array<uint32_t, kMostStamps> room;
  uint32_t count = 0;

  std::span<const uint32_t> stamps() const& { return {room.data(), count}; }
  std::span<const uint32_t> stamps() && = delete;   // a view into a temporary
  void add(uint32_t stamp) { room[count++] = stamp; }
  // Those that it has not yet. False: there is no room for all of them.
  bool add_others(std::span<const uint32_t> others);
};

// Those of a response that is stored under a key of this URL: of the URL, its authority (and the name in it without the
// port), its folders, its tags, and of everything. `more_tags`: it has some that are not in `tags`, so each purge of a
// tag concerns it; so does it with more than kMostTagStamps. Pure; allocates nothing.
StampList stamps_of(const PurgeStamps& stamps, std::string_view url, std::span<const std::string_view> tags,
                    bool more_tags);

// The words that one purge writes, of any number of subjects, each word once. A value of whoever purges.
class PurgeList {
 public:
  explicit PurgeList(const PurgeStamps& stamps) : stamps_(stamps) {}

  void add_url(std::string_view url) { add(StampKind::url, url); }
  // A name without a port means it with every port.
  void add_host(std::string_view authority) { add(StampKind::host, authority); }
  // "authority/folder/": deeper than kPrefixDepth it is the folder of that depth which is purged, and of all folders
  // it is the host.
  void add_prefix(std::string_view prefix);
  void add_tag(std::string_view tag);
  void add_everything() { add(StampKind::everything, {}); }

  std::span<const uint32_t> words() const& { return words_; }
  std::span<const uint32_t> words() && = delete;

 private:
  void add(StampKind kind, std::string_view text);

  PurgeStamps stamps_;
  std::vector<uint32_t> words_;
};

}   // namespace proxyd::cache
