#include "shared/tickets/ticket_region.h"

#include <atomic>
#include <cstring>

#include "shared/base/digest.h"

namespace proxyd::tickets {
namespace {

constexpr std::string_view kName = "tickets";
constexpr uint64_t kLayout = 0x7469'636b'6574'0001;   // another with each change of Page
constexpr size_t kWords = sizeof(TicketKeys) / sizeof(uint64_t);
static_assert(sizeof(TicketKeys) % sizeof(uint64_t) == 0);

// `turn` counts publications; the keys of turn n lie in place n % 2. Words, since a reader may look while the writer
// writes the other place, and after two rotations even its own.
struct Page {
  std::atomic<uint64_t> turn;
  std::array<std::array<std::atomic<uint64_t>, kWords>, 2> places;
};

Page& page_of(const memory::Region& region) { return *reinterpret_cast<Page*>(region.data()); }

TicketKey fresh_key() {
  TicketKey key;
  random_bytes(key.name);
  random_bytes(key.cipher);
  random_bytes(key.mac);
  return key;
}

}   // namespace

Result<TicketRegion> TicketRegion::create() {
  auto region = memory::Region::create(kName, kLayout, sizeof(Page));
  if (!region) return region.error();
  TicketRegion made(std::move(*region));
  made.publish({fresh_key(), fresh_key(), fresh_key()});
  return made;
}

Result<TicketRegion> TicketRegion::adopt(UniqueFd descriptor) {
  auto region = memory::Region::adopt(std::move(descriptor), kName, kLayout, sizeof(Page));
  if (!region) return region.error();
  return TicketRegion(std::move(*region));
}

TicketKeys TicketRegion::read() const {
  const Page& page = page_of(region_);
  std::array<uint64_t, kWords> words;
  for (;;) {
    const uint64_t turn = page.turn.load(std::memory_order_acquire);
    for (size_t i = 0; i < kWords; ++i) words[i] = page.places[turn % 2][i].load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    // The writer begins with the other place: only the turn after next touches this one.
    if (page.turn.load(std::memory_order_relaxed) == turn) break;
  }
  TicketKeys keys;
  std::memcpy(static_cast<void*>(&keys), words.data(), sizeof keys);
  return keys;
}

void TicketRegion::rotate() const {
  const TicketKeys now = read();
  publish({now.current, now.next, fresh_key()});
}

void TicketRegion::publish(const TicketKeys& keys) const {
  Page& page = page_of(region_);
  std::array<uint64_t, kWords> words;
  std::memcpy(words.data(), &keys, sizeof keys);
  const uint64_t turn = page.turn.load(std::memory_order_relaxed) + 1;
  std::atomic_thread_fence(std::memory_order_release);
  for (size_t i = 0; i < kWords; ++i) page.places[turn % 2][i].store(words[i], std::memory_order_relaxed);
  page.turn.store(turn, std::memory_order_release);
}

}   // namespace proxyd::tickets
