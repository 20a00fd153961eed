#include "master/row_table.h"

#include <fmt/format.h>

namespace proxyd::master {

void RowTable::begin(uint64_t edition, uint64_t held) {
  edition_ = edition;
  held_ = held;
  searched_.clear();
  fresh_.clear();
}

Result<uint32_t> RowTable::take(const std::string& name) {
  if (const auto known = rows_.find(name); known != rows_.end()) {
    known->second.last_edition = edition_;
    return known->second.number;
  }
  if (rows_.size() < size_) {
    const auto number = static_cast<uint32_t>(rows_.size());
    rows_[name] = {number, edition_};
    fresh_.push_back(number);
    return number;
  }
  for (auto row = rows_.upper_bound(searched_); row != rows_.end(); ++row) {
    searched_ = row->first;
    if (row->second.last_edition >= held_ || row->second.last_edition >= edition_) continue;
    const uint32_t number = row->second.number;
    rows_.erase(row);
    rows_[name] = {number, edition_};
    fresh_.push_back(number);
    return number;
  }
  return Error{
      fmt::format("no row is left in the status region for '{}': all {} are named by configurations that "
                  "requests still run by; try again when they have ended",
                  name, size_)};
}

std::vector<uint32_t> RowTable::leaving(const std::string& prefix) const {
  std::vector<uint32_t> rows;
  for (auto row = rows_.lower_bound(prefix); row != rows_.end() && row->first.starts_with(prefix); ++row) {
    if (row->second.last_edition < edition_ && row->second.last_edition >= held_) rows.push_back(row->second.number);
  }
  return rows;
}

}   // namespace proxyd::master
