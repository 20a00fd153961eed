#include "master/admin/context.h"

namespace proxyd::admin {
namespace {

constexpr auto kWindow = std::chrono::minutes(5);
constexpr size_t kMostFailures = 10;
constexpr size_t kMostPeers = 4096;
constexpr size_t kMostDetail = 1024;

}  // namespace

bool Context::too_many_failures(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(peer);
  if (found == failures_.end()) return false;
  auto& times = found->second;
  while (!times.empty() && Clock::now() - times.front() > kWindow) times.pop_front();
  return times.size() >= kMostFailures;
}

void Context::note_failure(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  if (failures_.size() >= kMostPeers && !failures_.contains(peer)) failures_.erase(failures_.begin());
  auto& times = failures_[peer];
  times.push_back(Clock::now());
  if (times.size() > kMostFailures) times.pop_front();
}

void Context::audit(const AdminRequest& request, int status, const std::string& detail) {
  const std::string author = request.identity.name.empty() ? "(nobody, from " + request.peer + ")" : request.identity.name;
  const auto kept = master.store().append_audit({0, rfc3339(std::chrono::system_clock::now()), author, request.method + " " + request.path, status, detail.substr(0, kMostDetail)});
  if (!kept) master.log().error("an audit entry could not be kept: {}", kept.error().message);
}

}  // namespace proxyd::admin
