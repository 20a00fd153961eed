#pragma once

#include <array>
#include <bitset>

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/cache/layout.h"

namespace proxyd::cache {

// The eventfds that wake sleeping workers, one for each worker slot, whatever `workers` says. Made with the region and
// as old as that: a worker inherits all of them, so nobody needs a descriptor that was made later. A value that owns
// them; master and worker; the event loop waits for its own, whoever put mail writes another's.
class WakeDescriptors {
 public:
  // Fails naming how many could be had.
  static Result<WakeDescriptors> create();
  // Takes those that were inherited.
  explicit WakeDescriptors(const std::array<int, kWorkerSlots>& numbers);

  // By worker slot.
  std::array<int, kWorkerSlots> numbers() const;
  // Who sleeps there looks at its mail.
  void wake(const std::bitset<kSlots>& slots) const;

 private:
  WakeDescriptors() = default;
  std::array<UniqueFd, kWorkerSlots> all_;
};

}   // namespace proxyd::cache
