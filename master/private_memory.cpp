#include "master/private_memory.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace proxyd::master {
namespace {

constexpr auto kFresh = std::chrono::seconds(1);

uint64_t read(pid_t pid) {
  std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", pid));
  uint64_t total = 0;
  std::string line;
  while (std::getline(rollup, line)) {
    if (line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"))
      total += std::strtoull(line.c_str() + 14, nullptr, 10) * 1024;
  }
  return total;
}

}   // namespace

uint64_t PrivateMemory::of(pid_t pid) {
  const std::lock_guard lock(mutex_);
  const Instant now = Clock::now();
  std::erase_if(readings_, [now](const auto& one) { return now - one.second.time >= kFresh; });
  const auto known = readings_.find(pid);
  if (known != readings_.end()) return known->second.octets;
  return (readings_[pid] = {now, read(pid)}).octets;
}

}   // namespace proxyd::master
