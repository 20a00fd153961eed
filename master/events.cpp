#include "master/events.h"

namespace proxyd::master {
namespace {

constexpr size_t kKept = 1024;

}   // namespace

Events::Events()
    : last_(static_cast<uint64_t>(
          std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count())) {}

void Events::publish(std::string kind, nlohmann::json body) {
  {
    const std::lock_guard lock(mutex_);
    events_.push_back({++last_, std::move(kind), std::move(body)});
    if (events_.size() > kKept) events_.pop_front();
  }
  more_.notify_all();
}

std::vector<Event> Events::after(uint64_t id, milliseconds patience) {
  std::unique_lock lock(mutex_);
  more_.wait_for(lock, patience, [&] { return closed_ || last_ > id; });
  std::vector<Event> found;
  if (closed_) return found;
  for (const Event& event : events_) {
    if (event.id > id) found.push_back(event);
  }
  return found;
}

uint64_t Events::last() {
  const std::lock_guard lock(mutex_);
  return last_;
}

bool Events::closed() {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Events::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  more_.notify_all();
}

}   // namespace proxyd::master
