#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "shared/cache/ban_expression.h"
#include "shared/cache/purge.h"
#include "shared/cache/region_view.h"
#include "shared/cache/stored_response.h"

namespace proxyd::cache {

// What a ban takes of its hosts: the path and query of which an expression is found in, or whatever carries a tag, for
// which tags are stored nobody can say.
enum class BanKind : uint8_t { path, tagged };

struct BanSubject {
  BanKind kind = BanKind::path;
  std::span<const uint32_t> hosts;   // their stamps, each once and in order, at most kMostBanHosts
  std::string_view expression;       // of paths, at most kMostBanText octets, without fault
};

// Purges that no stamp can say: a table of kMostBans beside the stamps, written under the same lock with the same
// sequences, so that a ban holds for all workers when it is published and none outruns it. One process's way to it,
// owned by its Cache; one thread; nothing suspends. A hit does not come here: only what is older than the newest ban,
// and was not looked at since, is compared, at most once with each ban; then expressions are compiled and matched, some
// microseconds in all and up to a millisecond when all 64 are new to the process, and memory is allocated; without
// memory a ban takes what it can't be compared with. What a ban took comes back by the sweep, as after any purge.
//
// The one that finds the table full makes the oldest give way: its hosts' stamps are raised to its sequence, so
// whatever of these hosts is older and was not compared yet is purged; too much, never too little. One that a later
// hard purge of its hosts covers goes first, and one that is asked for again only gets the new sequence.
//
// Killed at any instruction: a reader ignores an entry that is half written, which was not answered; the next purger
// publishes the sequence and uses the entry. An entry is emptied only when its stamps are written, and a reader looks
// at the bans before the stamps.
class Bans {
 public:
  explicit Bans(const RegionView& view) : view_(view), stamps_(view) {}

  // As PurgeStamps::purge, of these stamps and a ban in one.
  std::optional<uint64_t> ban(const BanSubject& subject, std::span<const uint32_t> stamps, PurgeMode mode);
  // Whether a ban that is newer than `since` concerns an object of this key and these stamps.
  Purged newest(std::string_view key, std::span<const uint32_t> stamps, uint64_t since) {
    return view_.bans().newest.load(std::memory_order_acquire) <= since ? Purged::no : look(key, stamps, since);
  }
  static uint32_t count(const RegionView& view);

 private:
  // One as this process has it.
  struct Compiled {
    uint64_t written = 0;   // as in the entry; 0: nothing
    BanKind kind = BanKind::path;
    std::vector<uint32_t> hosts;
    BanExpression expression;   // of paths

    bool takes(std::string_view url, std::span<const uint32_t> stamps) const;
  };
  Purged look(std::string_view key, std::span<const uint32_t> stamps, uint64_t since);
  Purged compare(uint32_t place, std::string_view url, std::span<const uint32_t> stamps, uint64_t since);
  bool read(uint32_t place, uint64_t word);

  uint32_t place_for(const BanSubject& subject, PurgeMode mode) const;
  bool is_covered(uint32_t place) const;
  void widen(uint32_t place);
  void write(uint32_t place, const BanSubject& subject, uint64_t sequence);

  RegionView view_;
  PurgeStamps stamps_;
  std::array<Compiled, kMostBans> compiled_;
};

}   // namespace proxyd::cache
