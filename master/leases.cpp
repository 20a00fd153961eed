#include "master/leases.h"

namespace proxyd::master {

void Leases::begin(const std::string& name, milliseconds lease) {
  const std::lock_guard lock(mutex_);
  all_[name] = {Clock::now() + lease, false};
}

void Leases::end(const std::string& name) {
  const std::lock_guard lock(mutex_);
  all_.erase(name);
}

bool Leases::renew(const std::string& name, milliseconds lease) {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(name);
  if (found == all_.end() || found->second.ended) return false;
  found->second.ends = Clock::now() + lease;
  return true;
}

std::optional<Instant> Leases::ends(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(name);
  return found == all_.end() ? std::nullopt : std::optional(found->second.ends);
}

std::vector<std::string> Leases::take_ended(Instant now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (auto& [name, lease] : all_) {
    if (lease.ends > now) continue;
    lease.ended = true;
    names.push_back(name);
  }
  return names;
}

}   // namespace proxyd::master
