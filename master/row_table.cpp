#include "master/row_table.h"

#include <fmt/format.h>

namespace proxyd::master {

void RowTable::begin(uint64_t revision, uint64_t held) {
  revision_ = revision;
  held_ = held;
  searched_.clear();
}

Result<uint32_t> RowTable::take(const std::string& name) {
  if (const auto known = rows_.find(name); known != rows_.end()) {
    known->second.last_revision = revision_;
    return known->second.number;
  }
  if (rows_.size() < size_) {
    const auto number = static_cast<uint32_t>(rows_.size());
    rows_[name] = {number, revision_};
    return number;
  }
  for (auto row = rows_.upper_bound(searched_); row != rows_.end(); ++row) {
    searched_ = row->first;
    if (row->second.last_revision >= held_ || row->second.last_revision >= revision_) continue;
    const uint32_t number = row->second.number;
    rows_.erase(row);
    rows_[name] = {number, revision_};
    return number;
  }
  return Error{
      fmt::format("no row is left in the status region for '{}': all {} are named by configurations that "
                  "requests still run by; try again when they have ended",
                  name, size_)};
}

}   // namespace proxyd::master
