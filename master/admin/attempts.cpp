#include "master/admin/attempts.h"

#include <algorithm>

namespace proxyd::admin {
namespace {

constexpr auto kWindow = std::chrono::minutes(5);
constexpr size_t kMostPeers = 4096;

}   // namespace

std::chrono::seconds Attempts::wait_for(const std::string& peer, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto found = times_.find(peer);
  if (found == times_.end()) return std::chrono::seconds(0);
  auto& times = found->second;
  while (!times.empty() && now - times.front() >= kWindow) times.pop_front();
  if (times.size() < limit_) return std::chrono::seconds(0);
  return std::chrono::duration_cast<std::chrono::seconds>(times.front() + kWindow - now) + std::chrono::seconds(1);
}

void Attempts::note(const std::string& peer, Instant now) {
  const std::lock_guard lock(mutex_);
  if (times_.size() >= kMostPeers && !times_.contains(peer)) {
    const auto quiet = std::min_element(times_.begin(), times_.end(), [](const auto& a, const auto& b) {
      return (a.second.empty() ? Instant{} : a.second.back()) < (b.second.empty() ? Instant{} : b.second.back());
    });
    times_.erase(quiet);
  }
  auto& times = times_[peer];
  times.push_back(now);
  if (times.size() > limit_) times.pop_front();
}

}   // namespace proxyd::admin
