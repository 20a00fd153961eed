#include "master/process_overrides.h"

#include <charconv>
#include <vector>

namespace proxyd::master {
namespace {

using Subject = ProcessOverrides::Subject;

std::string text_of(Subject subject) { return subject == Subject::kWorkers ? "workers" : "log-level"; }

int number_in(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool has_expired(const store::Override& one) {
  return !one.expires.empty() && one.expires <= rfc3339(std::chrono::system_clock::now());
}

}   // namespace

std::optional<Subject> ProcessOverrides::parse(const std::string& subject) {
  for (const Subject one : {Subject::kWorkers, Subject::kLogLevel}) {
    if (subject == text_of(one)) return one;
  }
  return std::nullopt;
}

store::Outcome<void> ProcessOverrides::put(Subject subject, const Value& value) {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::system_clock::now();
  const store::Override wanted{
      text_of(subject), subject == Subject::kWorkers ? "count" : "level",    value.value, value.owner, value.reason,
      rfc3339(now),     value.lifetime ? rfc3339(now + *value.lifetime) : ""};
  const auto put = parts_.store.put_override(wanted);
  if (!put) return put.error();
  in_force_[subject] = wanted;
  enforce(subject, wanted.value);
  return {};
}

store::Outcome<void> ProcessOverrides::clear(Subject subject) {
  const std::lock_guard lock(mutex_);
  const auto removed = parts_.store.remove_override(text_of(subject));
  if (!removed) return removed.error();
  if (in_force_.erase(subject) > 0) enforce(subject, "");
  return {};
}

store::Outcome<void> ProcessOverrides::resume() {
  const std::lock_guard lock(mutex_);
  const auto stored = parts_.store.overrides();
  if (!stored) return stored.error();
  for (const store::Override& one : *stored) {
    const auto subject = parse(one.subject);
    if (!subject) continue;
    in_force_[*subject] = one;
    if (!has_expired(one)) enforce(*subject, one.value);   // else `expire` drops it
  }
  return {};
}

void ProcessOverrides::expire() {
  const std::lock_guard lock(mutex_);
  std::vector<Subject> expired;
  for (const auto& [subject, one] : in_force_) {
    if (has_expired(one)) expired.push_back(subject);
  }
  for (const Subject subject : expired) {
    in_force_.erase(subject);
    enforce(subject, "");
    const auto removed = parts_.store.remove_override(text_of(subject));
    if (!removed)   // the next start drops it
      parts_.log.warning("override {} has expired and could not be removed: {}", text_of(subject),
                         removed.error().message);
  }
}

// An empty value is what bootstrap or document say.
void ProcessOverrides::enforce(Subject subject, const std::string& value) {
  if (subject == Subject::kWorkers) enforce_workers(number_in(value));
  if (subject == Subject::kLogLevel) enforce_level(value);
}

void ProcessOverrides::enforce_workers(int count) {
  const int wanted = count > 0 ? count : parts_.bootstrap.worker_count();
  parts_.pool.scale(wanted, parts_.bootstrap.shutdown_grace);
  parts_.log.info("{} workers are wanted{}", wanted, count > 0 ? ", by an override" : "");
  parts_.events.publish("worker", {{"wanted", wanted}});
}

void ProcessOverrides::enforce_level(const std::string& name) {
  const auto active = parts_.configuration.active();
  const std::string declared = active ? active->document.logging.error.level : "info";
  parts_.log.set_level(log_level_from(name.empty() ? declared : name).value_or(LogLevel::kInfo));
  parts_.pool.set_log_level(name, declared);
}

}   // namespace proxyd::master
