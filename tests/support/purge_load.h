#pragma once

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "shared/cache/cache.h"
#include "shared/cache/subjects.h"

// Workers that purge, fetch, follow, freshen and read the same few documents, whose origin is a count for each that
// only rises: what is served is compared with the purges that were answered before its request began. For the test
// that runs them as threads, and the campaign that runs and kills them as processes.
namespace proxyd::cache {

inline constexpr uint32_t kDocuments = 6;
inline constexpr uint32_t kDocumentTags = 2;
inline constexpr uint32_t kMostPurgers = 16;

// The origin's version of a document, and what answered purges of it ask for: content of that version at least; and to
// be fresh, said by the origin to be right at that version or later.
struct alignas(64) Document {
  std::atomic<uint64_t> version, hard_floor, soft_floor;
};
struct alignas(64) PurgeCounts {
  std::atomic<uint64_t> purges, fresh, stale, followed, fills, taken_over, freshened, superseded, outrun_hard,
      outrun_soft, wrong;
};
struct PurgeBoard {
  std::atomic<bool> stop;
  std::array<Document, kDocuments> documents;
  std::array<PurgeCounts, kMostPurgers> counts;

  uint64_t sum(std::atomic<uint64_t> PurgeCounts::* what) const {
    uint64_t total = 0;
    for (const PurgeCounts& one : counts) total += (one.*what).load();
    return total;
  }
};

// What is stored with a document; its content is its version, again and again.
struct Edition {
  uint64_t version;
  uint64_t valid;
  uint32_t number;
  uint32_t words;
};

class PurgeLoad {
 public:
  // `late`: requests take their sequence when they write, as they must not.
  PurgeLoad(const RegionView& view, PurgeBoard& board, uint32_t slot, uint64_t incarnation, bool late)
      : cache_(view, slot, incarnation),
        board_(board),
        counts_(board.counts[slot]),
        random_(incarnation * 1'000'003 + slot),
        late_(late) {}

  void run() {
    while (!board_.stop.load()) {
      if (below(25) == 0) {
        purge();
      } else {
        request();
      }
      cache_.tend(now_ms());
      cache_.take_mail();
      cache_.take_wakes();
    }
  }

 private:
  // A request: what it may ask for, and its one sequence, loaded after that and before its lookup.
  struct Asked {
    uint32_t number;
    std::string key;
    uint64_t hard_floor, soft_floor, sequence;
  };

  static int64_t now_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  }
  static std::string url_of(uint32_t number) { return "www.example.org/" + std::to_string(number); }
  static std::string tag_of(uint32_t number) { return "t" + std::to_string(number % kDocumentTags); }
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }
  void dawdle() {
    const uint32_t how = below(16);
    if (how == 0) ::usleep(below(300));
    if (how < 4) ::sched_yield();
  }
  static void raise(std::atomic<uint64_t>& floor, uint64_t to) {
    uint64_t now = floor.load();
    while (now < to && !floor.compare_exchange_weak(now, to)) {
    }
  }

  void purge() {
    const uint32_t number = below(kDocuments);
    const uint32_t kind = below(8);
    const auto concerns = [&](uint32_t other) {
      return kind == 0 || other == number || (kind < 3 && other % kDocumentTags == number % kDocumentTags);
    };
    PurgeList list(cache_.stamps());
    if (kind == 0) {
      list.add_everything();
    } else if (kind < 3) {
      list.add_tag(tag_of(number));
    } else {
      list.add_url(url_of(number));
    }
    std::array<uint64_t, kDocuments> begun{};
    for (uint32_t i = 0; i < kDocuments; ++i) {
      if (concerns(i)) begun[i] = board_.documents[i].version.fetch_add(1) + 1;
    }
    const auto mode = below(2) == 0 ? PurgeMode::soft : PurgeMode::hard;
    const bool done = kind < 5 && kind > 2 ? ban(number, mode) : cache_.stamps().purge(list.words(), mode).has_value();
    if (!done) return;
    if (mode == PurgeMode::hard && kind > 5) (void)cache_.drop(url_of(number));
    for (uint32_t i = 0; i < kDocuments; ++i) {
      raise(board_.documents[i].soft_floor, begun[i]);
      if (mode == PurgeMode::hard) raise(board_.documents[i].hard_floor, begun[i]);
    }
    counts_.purges.fetch_add(1);
  }

  // Some again and again, others new each time, so that the table is full and one gives way for another.
  bool ban(uint32_t number, PurgeMode mode) {
    const std::array hosts{cache_.stamps().stamp_of(StampKind::host, "www.example.org")};
    std::string expression = "^/" + std::to_string(number) + "$";
    if (below(2) == 0) expression += "|never" + std::to_string(random_());
    return cache_.bans().ban({BanKind::path, hosts, expression}, {}, mode).has_value();
  }

  void request() {
    Asked asked;
    asked.number = below(kDocuments);
    asked.key = url_of(asked.number);
    asked.hard_floor = board_.documents[asked.number].hard_floor.load();
    asked.soft_floor = board_.documents[asked.number].soft_floor.load();
    asked.sequence = cache_.published();
    for (int looks = 0; looks < 4 && look(asked); ++looks) {
    }
  }

  // Whether to look again, as CacheVisit does.
  bool look(const Asked& asked) {
    Lookup found = cache_.find(asked.key, asked.sequence, now_ms());
    if (found.outcome != Lookup::Outcome::found) return found.outcome == Lookup::Outcome::miss && fetch(asked, nullptr);
    if (!found.response.has_head()) return wait(found.response);
    const Purged purged = found.response.purged(asked.sequence);   // its head may have come since
    if (purged == Purged::hard) return fetch(asked, &found.response);
    if (found.response.state() == State::aborted) return false;
    serve(asked, found.response, purged == Purged::no);
    if (found.response.progress().orphaned) {
      if (Filler filler = cache_.take_over(found.response)) take_over(filler, asked.number);
    } else if (purged == Purged::soft || below(8) == 0) {
      validate(asked, found.response);
    }
    return false;
  }

  bool fetch(const Asked& asked, const StoredResponse* instead_of) {
    FillLock lock = cache_.begin_fill(asked.key, sequence_of(asked), now_ms(), instead_of);
    if (lock.filler) fill(lock.filler, asked.number);
    if (lock.outcome == FillLock::Outcome::follow) return wait(lock.response);
    return lock.outcome == FillLock::Outcome::found;
  }

  uint64_t sequence_of(const Asked& asked) {
    if (!late_) return asked.sequence;
    return cache_.published();
  }

  bool wait(const StoredResponse& response) {
    counts_.followed.fetch_add(1);
    for (const int64_t until = now_ms() + 500; now_ms() < until && !board_.stop.load(); ::usleep(50)) {
      const Progress progress = response.arm();
      if (progress.orphaned) {
        const uint32_t number = number_of(response.key());
        if (Filler filler = cache_.take_over(response)) return take_over(filler, number);
      }
      if (progress.dead || progress.state != State::opening) return true;
    }
    return false;
  }

  static uint32_t number_of(std::string_view key) { return static_cast<uint32_t>(key.back() - '0'); }

  bool take_over(Filler& filler, uint32_t number) {
    counts_.taken_over.fetch_add(1);
    fill(filler, number);
    return true;
  }

  // The origin answers at once, and the answer takes its time.
  void fill(Filler& filler, uint32_t number) {
    const Document& document = board_.documents[number];
    counts_.fills.fetch_add(1);
    dawdle();
    Edition edition{document.version.load(), 0, number, below(8) == 0 ? 5000 : below(300)};
    edition.valid = edition.version;
    dawdle();
    if (filler.response().has_head()) {
      edition = edition_of(filler.response());
    } else {
      const std::string tag = tag_of(number);
      const std::array tags{std::string_view(tag)};
      const StampList stamps = stamps_of(cache_.stamps(), url_of(number), tags, false);
      Head head = head_of(edition, stamps);
      if (below(4) == 0) head.length.reset();
      if (filler.set_head(head) != Written::ok) return;
    }
    std::array<uint64_t, 512> piece;
    piece.fill(edition.version);
    const std::string_view octets(reinterpret_cast<const char*>(piece.data()), sizeof piece);
    for (uint64_t at = filler.response().filled(), size = edition.words * 8; at < size;) {
      const std::string_view next = octets.substr(at % 8, std::min<uint64_t>(size - at, sizeof piece - 8));
      if (filler.append(next) != next.size()) return;
      at += next.size();
      dawdle();
    }
    filler.complete();
  }

  static Head head_of(const Edition& edition, const StampList& stamps) {
    return Head{.metadata = {reinterpret_cast<const char*>(&edition), sizeof edition},
                .section = "Server: example\r\n",
                .stamps = stamps.stamps(),
                .length = edition.words * 8};
  }

  Edition edition_of(const StoredResponse& response) {
    Edition edition{};
    if (response.metadata().size() == sizeof edition) {
      std::memcpy(&edition, response.metadata().data(), sizeof edition);
    } else {
      counts_.wrong.fetch_add(1);
    }
    return edition;
  }

  void serve(const Asked& asked, const StoredResponse& response, bool as_fresh) {
    const Edition edition = edition_of(response);
    (as_fresh ? counts_.fresh : counts_.stale).fetch_add(1);
    if (edition.number != asked.number) counts_.wrong.fetch_add(1);
    if (edition.version < asked.hard_floor) counts_.outrun_hard.fetch_add(1);
    if (as_fresh && edition.valid < asked.soft_floor) counts_.outrun_soft.fetch_add(1);
    uint64_t offset = 0;
    std::array<std::string_view, 4> ranges;
    while (const size_t count = response.content(offset, ranges)) {
      for (const std::string_view range : std::span(ranges).first(count)) {
        check(edition, offset, range);
        offset += range.size();
      }
    }
  }

  void check(const Edition& edition, uint64_t offset, std::string_view octets) {
    const std::array<uint64_t, 2> words{edition.version, edition.version};
    const char* expected = reinterpret_cast<const char*>(words.data()) + offset % 8;
    for (size_t at = 0; at < octets.size(); at += 8) {
      const size_t count = std::min<size_t>(8, octets.size() - at);
      if (std::memcmp(octets.data() + at, expected, count) != 0) {
        counts_.wrong.fetch_add(1);
        return;
      }
    }
  }

  // The origin says 304: what is stored is right as of now.
  void validate(const Asked& asked, const StoredResponse& response) {
    const Revalidation claim = cache_.begin_revalidation(response);
    if (!claim) return;
    Edition edition = edition_of(response);
    dawdle();
    edition.valid = board_.documents[asked.number].version.load();
    dawdle();
    const std::string tag = tag_of(asked.number);
    const std::array tags{std::string_view(tag)};
    const StampList stamps = stamps_of(cache_.stamps(), asked.key, tags, false);
    const Written written = cache_.freshen(response, head_of(edition, stamps), sequence_of(asked));
    if (written == Written::ok) counts_.freshened.fetch_add(1);
    if (written == Written::superseded) counts_.superseded.fetch_add(1);
  }

  Cache cache_;
  PurgeBoard& board_;
  PurgeCounts& counts_;
  std::mt19937_64 random_;
  bool late_;
};

}   // namespace proxyd::cache
