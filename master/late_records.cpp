#include "master/late_records.h"

#include <algorithm>
#include <chrono>

namespace proxyd::master {
namespace {

constexpr size_t kMostWaiting = 1024;
constexpr size_t kMostPurges = 10'000;   // kept by the store

// The records in the order in which they came; how many of the oldest were too many.
template <class T>
size_t put_before(std::vector<T>& later, std::vector<T>& earlier) {
  earlier.insert(earlier.end(), std::make_move_iterator(later.begin()), std::make_move_iterator(later.end()));
  const size_t given_up = earlier.size() > kMostWaiting ? earlier.size() - kMostWaiting : 0;
  earlier.erase(earlier.begin(), earlier.begin() + static_cast<ptrdiff_t>(given_up));
  later = std::move(earlier);
  return given_up;
}

}   // namespace

uint64_t LateRecords::next_id() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto now = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
  const std::lock_guard lock(mutex_);
  last_id_ = std::max(last_id_ + 1, now);
  return last_id_;
}

void LateRecords::add(store::Purge purge) {
  store::Records one;
  one.purges.push_back(std::move(purge));
  keep(std::move(one));
}

void LateRecords::add(store::AuditEntry entry) {
  store::Records one;
  one.audit.push_back(std::move(entry));
  keep(std::move(one));
}

void LateRecords::keep(store::Records later) {
  const std::lock_guard lock(mutex_);
  std::swap(waiting_, later);
  give_up(put_before(waiting_.purges, later.purges) + put_before(waiting_.audit, later.audit));
}

void LateRecords::give_up(size_t count) {
  if (count > 0) log_.error("{} records of purges are given up: too many wait for the database", count);
}

void LateRecords::write() {
  const std::lock_guard one_writer(writing_);
  store::Records batch;
  {
    const std::lock_guard lock(mutex_);
    std::swap(batch, waiting_);
    in_hand_ = batch.purges;
  }
  if (batch.empty()) return;
  const auto written = store_.append(batch, kMostPurges);
  const std::string failure = written ? "" : written.error().message;
  if (failure != failure_ && !written) log_.error("records of purges wait: {}", failure);
  failure_ = failure;
  const std::lock_guard lock(mutex_);
  in_hand_.clear();
  if (!written) give_up(put_before(waiting_.purges, batch.purges) + put_before(waiting_.audit, batch.audit));
}

std::vector<store::Purge> LateRecords::purges(uint64_t before, size_t limit) {
  std::vector<store::Purge> all;
  {
    const std::lock_guard lock(mutex_);
    all = in_hand_;
    all.insert(all.end(), waiting_.purges.begin(), waiting_.purges.end());
  }
  std::erase_if(all, [before](const store::Purge& one) { return before != 0 && one.id >= before; });
  if (auto stored = store_.purges(before, limit)) {
    for (store::Purge& one : *stored) all.push_back(std::move(one));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id > b.id; });
  const auto same = [](const auto& a, const auto& b) { return a.id == b.id; };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  if (all.size() > limit) all.resize(limit);
  return all;
}

}   // namespace proxyd::master
