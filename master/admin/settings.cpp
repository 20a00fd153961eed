#include "master/admin/settings.h"

#include <charconv>

#include "shared/base/log.h"

namespace proxyd::admin {
namespace {

std::string subject_text(Settings::Subject subject) {
  return subject == Settings::Subject::kWorkers ? "workers" : "log-level";
}

int number_in(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}   // namespace

store::Outcome<bool> Settings::put(Subject subject, const Value& value) {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::system_clock::now();
  const std::string kind = subject == Subject::kWorkers ? "count" : "level";
  const auto put = master_.store().put_override({subject_text(subject), kind, value.value, value.owner, value.reason,
                                                 rfc3339(now), value.lifetime ? rfc3339(now + *value.lifetime) : ""});
  if (!put) return put.error();
  return refresh_locked();
}

store::Outcome<bool> Settings::clear(Subject subject) {
  const std::lock_guard lock(mutex_);
  const auto removed = master_.store().remove_override(subject_text(subject));
  if (!removed) return removed.error();
  return refresh_locked();
}

void Settings::refresh() {
  const std::lock_guard lock(mutex_);
  const auto refreshed = refresh_locked();
  if (!refreshed) master_.log().warning("overrides cannot be read: {}", refreshed.error().message);
}

store::Outcome<bool> Settings::refresh_locked() {
  const auto overrides = master_.store().overrides();
  if (!overrides) return overrides.error();
  const std::string now = rfc3339(std::chrono::system_clock::now());
  int workers = 0;
  std::string level;
  for (const store::Override& one : *overrides) {
    const bool ours = one.subject == "workers" || one.subject == "log-level";
    const bool expired = !one.expires.empty() && one.expires <= now;
    if (ours && expired) (void)master_.store().remove_override(one.subject);   // again in a second, should it fail
    if (!ours || expired) continue;
    if (one.subject == "workers") workers = number_in(one.value);
    if (one.subject == "log-level") level = one.value;
  }
  if (workers != workers_) set_workers(workers);
  if (level != level_) set_level(level);
  return true;
}

void Settings::set_workers(int count) {
  workers_ = count;
  const master::Bootstrap& bootstrap = master_.bootstrap();
  const int wanted = count > 0 ? count : bootstrap.worker_count();
  master_.pool().scale(wanted, bootstrap.shutdown_grace);
  master_.log().info("{} workers are wanted{}", wanted, count > 0 ? ", by an override" : "");
  master_.events().publish("worker", {{"wanted", wanted}});
}

void Settings::set_level(const std::string& name) {
  level_ = name;
  const auto active = master_.configuration().active();
  const std::string declared = active ? active->document.logging.error.level : "info";
  master_.log().set_level(log_level_from(name.empty() ? declared : name).value_or(LogLevel::kInfo));
  master_.pool().set_log_level(name, declared);
}

}   // namespace proxyd::admin
