#pragma once

#include <string_view>

#include "shared/base/result.h"
#include "shared/base/sip_hash.h"
#include "shared/limits/client_rows.h"
#include "shared/limits/rate_table.h"
#include "shared/memory/region.h"

namespace proxyd::limits {

// How many rate limits have a number at once: twice what a document may name, so that one that names all of them anew
// finds numbers beside those still in use.
inline constexpr uint32_t kRateLimitNumbers = 2 * 1024;

// The region "limits": what is counted of clients and keys, the same for all workers, over their deaths and over every
// change of the configuration. With a secret of its own, so that nobody outside knows where a key lies. Created by the
// master, mapped by all; lives as long as this value. Nothing blocks.
class LimitsRegion {
 public:
  static Result<LimitsRegion> create();
  static Result<LimitsRegion> adopt(UniqueFd descriptor);

  int descriptor() const { return region_.descriptor(); }
  RateTable rates() const;
  ClientRows clients() const;
  // The hash of what a client chose, apart for each `domain`. Never 0.
  uint64_t hash(uint64_t domain, std::string_view text) const;
  uint64_t hash(uint64_t domain, uint64_t word) const;

 private:
  explicit LimitsRegion(memory::Region region);
  memory::Region region_;
  SipHash<1>::Secret secret_{};
};

}   // namespace proxyd::limits
