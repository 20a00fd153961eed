#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "shared/base/result.h"

namespace proxyd::master {

// Who has which row of a region. A value: what a document needs is taken from a copy, and the copy is kept when the
// document comes into force, so that what never serves uses up nothing. Bounded by its size.
class RowTable {
 public:
  explicit RowTable(uint32_t size) : size_(size) {}

  // Rows are for `edition` from now on; every worker holds `held` or something newer.
  void begin(uint64_t edition, uint64_t held);
  // The row of `name`: its own, a new one, or one whose last edition no worker holds any more.
  Result<uint32_t> take(const std::string& name);
  // Rows that this edition gave to who had none: what is in them is another's.
  const std::vector<uint32_t>& fresh() const { return fresh_; }
  // Those of names that begin so and that this edition does not name, but a worker may hold.
  std::vector<uint32_t> leaving(const std::string& prefix) const;

 private:
  struct Row {
    uint32_t number = 0;
    uint64_t last_edition = 0;   // that named it
  };
  uint32_t size_;
  uint64_t edition_ = 0;
  uint64_t held_ = 0;
  std::map<std::string, Row> rows_;
  std::vector<uint32_t> fresh_;
  std::string searched_;   // names up to this one have no row to give
};

}   // namespace proxyd::master
