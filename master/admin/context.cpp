#include "master/admin/context.h"

#include "master/admin/routes.h"

namespace proxyd::admin {
namespace {

constexpr size_t kMostDetail = 1024;

}   // namespace

void Context::start() {
  house_ = std::thread([this] { keep_house(); });
}

void Context::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ending_.notify_all();
  operations.stop();
  if (house_.joinable()) house_.join();
}

void Context::keep_house() {
  std::unique_lock lock(mutex_);
  while (!ending_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) {
    lock.unlock();
    look_around();
    lock.lock();
  }
}

void Context::look_around() {
  try {
    workers_.look();
  } catch (const std::exception& error) {
    master.log().error("overrides and workers could not be looked at: {}", error.what());
  }
}

void Context::audit(const AdminRequest& request, int status, const std::string& detail) {
  const std::string author = request.identity.known() ? request.identity.name : "(nobody, from " + request.peer + ")";
  store::AuditEntry entry{0,      rfc3339(std::chrono::system_clock::now()),
                          author, request.method + " " + request.path.substr(0, kMostDetail),
                          status, detail.substr(0, kMostDetail)};
  if (request.route && request.route->audited_later) return master.records().add(std::move(entry));
  const auto kept = master.store().append_audit(entry);
  if (!kept)
    master.log().error("an audit entry could not be kept: {} ({} {} by {}, {})", kept.error().message, request.method,
                       request.path.substr(0, kMostDetail), author, status);
}

}   // namespace proxyd::admin
