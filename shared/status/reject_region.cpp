#include "shared/status/reject_region.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "shared/base/bytes.h"

namespace proxyd::status {
namespace {

constexpr uint32_t kSlots = 64;
constexpr uint32_t kEntries = 64;
constexpr size_t kExcerpt = 1024;
constexpr size_t kWords = 160;

// Words, so that a reader that races the writer reads no torn value, only an old or a new one; the sequence tells it
// to drop a mixture. Odd: being written.
struct Entry {
  std::atomic<uint64_t> sequence;
  std::atomic<uint64_t> words[kWords];
};

// What the words hold.
struct Record {
  int64_t time_ms;
  uint32_t from_upstream;
  uint32_t fault_offset;
  uint32_t excerpt_size;
  char peer[76];
  char reason[32];
  char excerpt[kExcerpt];
};
static_assert(sizeof(Record) <= kWords * 8);

struct Layout {
  std::atomic<uint64_t> next[kSlots];
  Entry entries[kSlots][kEntries];
};

constexpr uint64_t kLayoutHash = 0x72656a65'00000001 ^ (uint64_t{sizeof(Layout)} << 8);

Layout& layout(const memory::Region& region) { return *reinterpret_cast<Layout*>(region.data()); }

bool is_secret(std::string_view name) {
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  while (!name.empty() && (name.front() == ' ' || name.front() == '\t')) name.remove_prefix(1);
  return equals_ignoring_case(name, "cookie") || equals_ignoring_case(name, "authorization") ||
         equals_ignoring_case(name, "proxy-authorization") || equals_ignoring_case(name, "set-cookie");
}

// Values of fields that may hold secrets are blanked, in place; in a message that was refused they may be folded, end
// in a bare LF, go on behind a bare CR, or have spaces around the name.
void blank_secrets(char* text, size_t size) {
  const std::string_view all(text, size);
  bool secret = false;
  bool behind_bare_cr = false;
  for (size_t at = 0; at < size;) {
    const size_t end = std::min(all.find_first_of("\r\n", at), size);
    const std::string_view line = all.substr(at, end - at);
    const size_t colon = line.find(':');
    const bool named = colon != std::string_view::npos && is_secret(line.substr(0, colon));
    const bool goes_on = behind_bare_cr || line.starts_with(' ') || line.starts_with('\t');
    if (!line.empty()) secret = named || (secret && goes_on);
    if (secret) std::fill(text + at + (named ? colon + 1 : 0), text + end, '*');
    behind_bare_cr = all.substr(end).starts_with('\r') && !all.substr(end).starts_with("\r\n");
    at = end + 1;
  }
}

}   // namespace

Result<RejectRegion> RejectRegion::create() {
  auto region = memory::Region::create("rejects", kLayoutHash, sizeof(Layout));
  if (!region) return region.error();
  return RejectRegion(std::move(*region));
}

Result<RejectRegion> RejectRegion::adopt(UniqueFd descriptor) {
  auto region = memory::Region::adopt(std::move(descriptor), "rejects", kLayoutHash, sizeof(Layout));
  if (!region) return region.error();
  return RejectRegion(std::move(*region));
}

void RejectRegion::record(uint32_t slot, const RejectView& reject) const {
  if (slot >= kSlots) return;
  Layout& shared = layout(region_);
  const uint64_t number = shared.next[slot].load(std::memory_order_relaxed);
  Entry& entry = shared.entries[slot][number % kEntries];
  Record record{};
  record.time_ms = reject.time_ms;
  record.from_upstream = reject.from_upstream ? 1 : 0;
  record.fault_offset = reject.fault_offset;
  record.excerpt_size = static_cast<uint32_t>(reject.excerpt.copy(record.excerpt, kExcerpt));
  reject.peer.copy(record.peer, sizeof record.peer - 1);
  reject.reason.copy(record.reason, sizeof record.reason - 1);
  blank_secrets(record.excerpt, record.excerpt_size);
  uint64_t words[kWords] = {};
  std::memcpy(words, &record, sizeof record);
  entry.sequence.store(number * 2 + 1, std::memory_order_seq_cst);
  for (size_t i = 0; i < kWords; ++i) entry.words[i].store(words[i], std::memory_order_release);
  entry.sequence.store(number * 2 + 2, std::memory_order_seq_cst);
  shared.next[slot].store(number + 1, std::memory_order_release);
}

std::vector<Reject> RejectRegion::newest(size_t limit) const {
  const Layout& shared = layout(region_);
  std::vector<Reject> found;
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    for (const Entry& entry : shared.entries[slot]) {
      const uint64_t before = entry.sequence.load(std::memory_order_seq_cst);
      if (before == 0 || before % 2 == 1) continue;
      uint64_t words[kWords];
      for (size_t i = 0; i < kWords; ++i) words[i] = entry.words[i].load(std::memory_order_acquire);
      if (entry.sequence.load(std::memory_order_seq_cst) != before) continue;
      Record record;
      std::memcpy(&record, words, sizeof record);
      found.push_back({record.time_ms, record.from_upstream != 0, record.peer, record.reason, record.fault_offset,
                       std::string(record.excerpt, std::min<size_t>(record.excerpt_size, kExcerpt))});
    }
  }
  std::sort(found.begin(), found.end(), [](const Reject& a, const Reject& b) { return a.time_ms > b.time_ms; });
  if (found.size() > limit) found.resize(limit);
  return found;
}

}   // namespace proxyd::status
