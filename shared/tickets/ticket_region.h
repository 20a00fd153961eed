#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "shared/base/result.h"
#include "shared/memory/region.h"

namespace proxyd::tickets {

// What session tickets are sealed with (RFC 5077 4, RFC 8446 4.6.1): its name goes with each ticket.
struct TicketKey {
  std::array<uint8_t, 16> name{};
  std::array<uint8_t, 32> cipher{};   // AES-256-CBC
  std::array<uint8_t, 32> mac{};      // HMAC-SHA-256
  bool operator==(const TicketKey&) const = default;
};

// The keys of all workers: tickets are sealed with `current`; those of `previous` and `next` are opened too. `next` is
// there one rotation before anybody seals with it, so no worker ever meets a ticket that it can't open yet.
struct TicketKeys {
  TicketKey previous;
  TicketKey current;
  TicketKey next;
  bool operator==(const TicketKeys&) const = default;
};

// The region "tickets". The master alone writes; each read gives the keys of one rotation, whole: the page has two
// places, and a reader that was overtaken twice reads again. In no core dump. Nothing blocks.
class TicketRegion {
 public:
  // With fresh keys.
  static Result<TicketRegion> create();
  static Result<TicketRegion> adopt(UniqueFd descriptor);

  int descriptor() const { return region_.descriptor(); }
  TicketKeys read() const;
  // `next` becomes current, a fresh key next. The master only.
  void rotate() const;

 private:
  explicit TicketRegion(memory::Region region) : region_(std::move(region)) {}
  void publish(const TicketKeys& keys) const;
  memory::Region region_;
};

}   // namespace proxyd::tickets
