#include "shared/cache/bans.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "shared/cache/step.h"
#include "shared/cache/subjects.h"

namespace proxyd::cache {
namespace {

constexpr int kMostLooks = 16;   // at an entry that changes while it is read

// What an entry is worth, in one word, so that a ban is there or not, and a soft one becomes hard, in one store.
struct BanWord {
  uint64_t sequence = 0;
  bool hard = false;

  static BanWord of(uint64_t word) { return {word >> 1, (word & 1) != 0}; }
  uint64_t word() const { return sequence << 1 | uint64_t{hard}; }
};

// Calls `visit` with the octets of the expression, eight at a time. Of an entry, which may be changing: nothing that is
// read is right unless the entry's word is still the same.
template <class Visit>
void each_piece(const Ban& ban, Visit visit) {
  const uint32_t size = std::min(ban.size.load(std::memory_order_acquire), kMostBanText);
  for (uint32_t at = 0; at < size; at += sizeof(uint64_t)) {
    const uint64_t octets = ban.text[at / sizeof octets].load(std::memory_order_acquire);
    std::array<char, sizeof octets> piece;
    std::memcpy(piece.data(), &octets, sizeof octets);
    visit(std::string_view(piece.data(), std::min<size_t>(sizeof octets, size - at)));
  }
}

std::string text_of(const Ban& ban) {
  std::string text;
  each_piece(ban, [&text](std::string_view piece) { text += piece; });
  return text;
}

std::span<const std::atomic<uint32_t>> hosts_of(const Ban& ban) {
  return std::span(ban.hosts).first(std::min(ban.host_count.load(std::memory_order_acquire), kMostBanHosts));
}

// Under the lock, so without a copy.
bool is_of(const BanSubject& subject, const Ban& ban) {
  const auto hosts = hosts_of(ban);
  std::string_view rest = subject.expression;
  bool same = ban.kind.load() == static_cast<uint32_t>(subject.kind) && ban.size.load() == rest.size() &&
              std::equal(hosts.begin(), hosts.end(), subject.hosts.begin(), subject.hosts.end());
  if (!same) return false;
  each_piece(ban, [&](std::string_view piece) {
    same = same && rest.starts_with(piece);
    rest.remove_prefix(piece.size());
  });
  return same;
}

}   // namespace

std::optional<uint64_t> Bans::ban(const BanSubject& subject, std::span<const uint32_t> stamps, PurgeMode mode) {
  BanTable& table = view_.bans();
  const auto sequence = stamps_.begin();
  if (!sequence) return std::nullopt;
  for (const uint32_t stamp : stamps) stamps_.write(stamp, mode, *sequence);
  table.newest.store(*sequence);
  step("ban: announced");
  const uint32_t place = place_for(subject, mode);
  const BanWord before = BanWord::of(table.words[place].load());
  const bool milder = before.hard && mode == PurgeMode::soft;   // than what is there, which must not be lost
  if (before.sequence == 0 || milder || !is_of(subject, table.bans[place])) {
    widen(place);
    table.words[place].store(0);
    step("ban: emptied");
    write(place, subject, *sequence);
  }
  table.words[place].store(BanWord{*sequence, mode == PurgeMode::hard}.word());
  step("ban: there");
  stamps_.publish(*sequence);
  return sequence;
}

// Where it is already, not milder; else a free place; else one that is covered, or the oldest.
uint32_t Bans::place_for(const BanSubject& subject, PurgeMode mode) const {
  const BanTable& table = view_.bans();
  uint32_t best = 0;
  uint64_t best_sequence = UINT64_MAX;
  for (uint32_t place = 0; place < kMostBans; ++place) {
    const BanWord word = BanWord::of(table.words[place].load());
    if (word.sequence != 0 && (mode == PurgeMode::hard || !word.hard) && is_of(subject, table.bans[place]))
      return place;
    const uint64_t sequence = is_covered(place) ? 0 : word.sequence;
    if (sequence >= best_sequence) continue;
    best = place;
    best_sequence = sequence;
  }
  return best;
}

// By later hard purges, whatever it matches.
bool Bans::is_covered(uint32_t place) const {
  const uint64_t sequence = BanWord::of(view_.bans().words[place].load()).sequence;
  const auto is_purged = [&](uint32_t stamp) { return view_.stamp(stamp).hard.load() >= sequence; };
  if (sequence == 0 || is_purged(stamps_.stamp_of(StampKind::everything, {}))) return true;
  const auto hosts = hosts_of(view_.bans().bans[place]);
  return std::all_of(hosts.begin(), hosts.end(), is_purged);
}

// To all of its hosts, as far as it reaches back.
void Bans::widen(uint32_t place) {
  const BanWord word = BanWord::of(view_.bans().words[place].load());
  if (word.sequence == 0) return;
  for (const auto& host : hosts_of(view_.bans().bans[place]))
    stamps_.write(host, word.hard ? PurgeMode::hard : PurgeMode::soft, word.sequence);
  step("ban: widened");
}

void Bans::write(uint32_t place, const BanSubject& subject, uint64_t sequence) {
  constexpr auto kRelease = std::memory_order_release;   // whoever sees one of these sees that the entry is empty
  Ban& ban = view_.bans().bans[place];
  ban.written.store(sequence, kRelease);
  ban.kind.store(static_cast<uint32_t>(subject.kind), kRelease);
  ban.host_count.store(static_cast<uint32_t>(subject.hosts.size()), kRelease);
  for (size_t i = 0; i < subject.hosts.size(); ++i) ban.hosts[i].store(subject.hosts[i], kRelease);
  step("ban: hosts");
  const std::string_view text = subject.expression;
  ban.size.store(static_cast<uint32_t>(text.size()), kRelease);
  for (size_t at = 0; at < text.size(); at += sizeof(uint64_t)) {
    uint64_t octets = 0;
    std::memcpy(&octets, text.data() + at, std::min(sizeof octets, text.size() - at));
    ban.text[at / sizeof octets].store(octets, kRelease);
    step("ban: text");
  }
}

Purged Bans::look(std::string_view key, std::span<const uint32_t> stamps, uint64_t since) {
  const std::string_view url = url_of_key(key);
  Purged purged = Purged::no;
  for (uint32_t place = 0; place < kMostBans && purged != Purged::hard; ++place)
    purged = std::max(purged, compare(place, url, stamps, since));
  return purged;
}

// An entry that is emptied meanwhile has become stamps, which are looked at after this.
Purged Bans::compare(uint32_t place, std::string_view url, std::span<const uint32_t> stamps, uint64_t since) {
  for (int looks = 0; looks < kMostLooks; ++looks) {
    const BanWord word = BanWord::of(view_.bans().words[place].load());
    if (word.sequence <= since) return Purged::no;
    const Purged purged = word.hard ? Purged::hard : Purged::soft;
    try {
      if (!read(place, word.word())) continue;
      return compiled_[place].takes(url, stamps) ? purged : Purged::no;
    } catch (const std::bad_alloc&) {   // too much, never too little
      return purged;
    }
  }
  return Purged::hard;
}

// So that `compiled_` has what the entry has as long as this is its word. False: it is another meanwhile.
bool Bans::read(uint32_t place, uint64_t word) {
  const std::atomic<uint64_t>& now = view_.bans().words[place];
  const Ban& ban = view_.bans().bans[place];
  const uint64_t written = ban.written.load(std::memory_order_acquire);
  if (compiled_[place].written == written) return now.load() == word;
  Compiled fresh;
  fresh.written = written;
  fresh.kind = static_cast<BanKind>(ban.kind.load(std::memory_order_acquire));
  for (const auto& host : hosts_of(ban)) fresh.hosts.push_back(host.load(std::memory_order_acquire));
  const std::string text = text_of(ban);
  if (now.load() != word) return false;
  if (fresh.kind == BanKind::path) fresh.expression = BanExpression(text);
  compiled_[place] = std::move(fresh);
  return true;
}

bool Bans::Compiled::takes(std::string_view url, std::span<const uint32_t> stamps) const {
  const bool of_host = std::any_of(stamps.begin(), stamps.end(), [this](uint32_t stamp) {
    return std::binary_search(hosts.begin(), hosts.end(), stamp);
  });
  if (!of_host) return false;
  if (kind == BanKind::tagged) return stamps.size() > stamps_without_tags(url);
  return expression.matches(url.substr(std::min(url.find('/'), url.size())));
}

uint32_t Bans::count(const RegionView& view) {
  const auto& words = view.bans().words;
  return static_cast<uint32_t>(
      std::count_if(words.begin(), words.end(), [](const std::atomic<uint64_t>& word) { return word.load() != 0; }));
}

}   // namespace proxyd::cache
