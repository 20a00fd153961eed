#pragma once

#include <array>
#include <bitset>
#include <cstdint>

#include "shared/cache/member.h"

namespace proxyd::cache {

using WaitNumbers = std::bitset<kWaitNumbers>;

// Mail between workers: "look again at what you follow under this number". The sender sets a bit in the receiver's
// mailbox and, if that sleeps, remembers that its eventfd must be written; the event loop does that once a pass. Every
// step is seq_cst, so that either the sleeper sees the mail or the sender sees it sleep. Process-side, one thread.
// A sender killed in between loses wake-ups: hence the followers' own look after 100 ms.
class Wakes {
 public:
  explicit Wakes(const Member& member) : member_(member) {}

  // To all who armed themselves for the object.
  void wake(Object& object, ObjectIndex index);
  bool going_to_sleep();
  void awake();
  WaitNumbers take_mail();
  std::bitset<kSlots> take_sleepers();

 private:
  void mail(uint32_t slot, uint32_t number);
  const Member& member_;
  std::bitset<kSlots> sleepers_;
};

}   // namespace proxyd::cache
