#include "master/admin/operations.h"

#include <fmt/format.h>

#include <algorithm>

namespace proxyd::admin {
namespace {

constexpr size_t kMostRunning = 64;
constexpr size_t kMostKept = 256;

std::string now_text() { return rfc3339(std::chrono::system_clock::now()); }

std::string_view word_for(Operations::State state) {
  switch (state) {
    case Operations::State::kRunning: return "running";
    case Operations::State::kDone: return "done";
    case Operations::State::kTimedOut: return "timed_out";
    case Operations::State::kCancelled: return "cancelled";
    case Operations::State::kFailed: break;
  }
  return "failed";
}

}   // namespace

bool Operations::Control::wait(milliseconds time) const {
  std::unique_lock lock(operations_.mutex_);
  const auto ends = [this] { return operations_.stopping_ || operations_.at(number_)->cancelled; };
  return !operations_.changed_.wait_for(lock, time, ends);
}

bool Operations::Control::is_cancelled() const {
  const std::lock_guard lock(operations_.mutex_);
  return operations_.at(number_)->cancelled;
}

void Operations::Control::progress(Json json) const {
  const std::lock_guard lock(operations_.mutex_);
  operations_.at(number_)->progress = std::move(json);
}

Operations::Operation* Operations::at(uint64_t number) {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [number](const Operation& one) { return one.number == number; });
  return found == all_.end() ? nullptr : &*found;
}

// Those that ended give up their threads, and the oldest of them their places.
void Operations::forget_old(std::vector<std::thread>& ended) {
  for (Operation& one : all_) {
    if (one.ending && one.thread.joinable()) ended.push_back(std::move(one.thread));
  }
  for (auto one = all_.begin(); one != all_.end() && all_.size() >= kMostKept;) {
    one = one->ending ? all_.erase(one) : std::next(one);
  }
}

std::optional<uint64_t> Operations::start(const std::string& kind, const std::string& subject, const std::string& owner,
                                          Work work) {
  std::vector<std::thread> ended;
  std::optional<uint64_t> number;
  {
    const std::lock_guard lock(mutex_);
    forget_old(ended);
    const auto same = std::find_if(all_.begin(), all_.end(), [&](const Operation& one) {
      return !one.ending && one.kind == kind && one.subject == subject;
    });
    const auto running = std::count_if(all_.begin(), all_.end(), [](const Operation& one) { return !one.ending; });
    if (same != all_.end()) {
      number = same->number;
    } else if (!stopping_ && running < static_cast<std::ptrdiff_t>(kMostRunning)) {
      number = ++last_;
      all_.push_back({*number, kind, subject, owner, now_text(), "", Json::object(), false, std::nullopt, {}});
      all_.back().thread = std::thread([this, number = *number, work = std::move(work)] { run(number, work); });
    }
  }
  for (std::thread& thread : ended) thread.join();
  return number;
}

bool Operations::runs(const std::string& kind, const std::string& subject) {
  const std::lock_guard lock(mutex_);
  return std::any_of(all_.begin(), all_.end(),
                     [&](const Operation& one) { return !one.ending && one.kind == kind && one.subject == subject; });
}

void Operations::run(uint64_t number, const Work& work) {
  Ending ending;
  try {
    ending = work(Control(*this, number));
  } catch (const std::exception& error) {
    ending = {State::kFailed, problem("internal", error.what())};
  }
  const std::lock_guard lock(mutex_);
  Operation& one = *at(number);
  one.finished = now_text();
  one.ending = std::move(ending);
  changed_.notify_all();
}

std::optional<Operations::Ending> Operations::wait(uint64_t number, milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto over = [&] {
    const Operation* one = at(number);
    return !one || one->ending || stopping_;
  };
  changed_.wait_for(lock, patience, over);
  const Operation* one = at(number);
  return one ? one->ending : std::nullopt;
}

std::optional<Json> Operations::find(uint64_t number) {
  const std::lock_guard lock(mutex_);
  const Operation* one = at(number);
  return one ? std::optional(to_json(*one)) : std::nullopt;
}

Json Operations::list() {
  const std::lock_guard lock(mutex_);
  Json items = Json::array();
  for (const Operation& one : all_) items.push_back(to_json(one));
  return items;
}

bool Operations::cancel(uint64_t number) {
  const std::lock_guard lock(mutex_);
  Operation* one = at(number);
  if (!one || one->ending) return false;
  one->cancelled = true;
  changed_.notify_all();
  return true;
}

bool Operations::cancel(const std::string& kind, const std::string& subject) {
  const std::lock_guard lock(mutex_);
  const auto one = std::find_if(all_.begin(), all_.end(), [&](const Operation& other) {
    return !other.ending && other.kind == kind && other.subject == subject;
  });
  if (one == all_.end()) return false;
  one->cancelled = true;
  changed_.notify_all();
  return true;
}

void Operations::stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Operation& one : all_) {
      if (one.thread.joinable()) threads.push_back(std::move(one.thread));
    }
  }
  changed_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

Json Operations::to_json(const Operation& one) {
  const State state = one.ending ? one.ending->state : State::kRunning;
  Json json{{"id", std::to_string(one.number)},
            {"kind", one.kind},
            {"subject", one.subject},
            {"state", std::string(word_for(state))},
            {"owner", one.owner},
            {"started", one.started},
            {"finished", one.finished.empty() ? Json(nullptr) : Json(one.finished)},
            {"progress", one.progress}};
  if (one.ending) json["status"] = one.ending->answer.status;
  if (one.ending) json["result"] = Json::parse(one.ending->answer.body, nullptr, false);
  return json;
}

AdminAnswer answer_for(Operations& operations, uint64_t number, milliseconds patience, const Json& more) {
  if (patience.count() > 0) {
    if (auto ending = operations.wait(number, patience)) return ending->answer;
  }
  Json json = more;
  json["operation"] = operations.find(number).value_or(Json(nullptr));
  AdminAnswer answer = json_answer(json, 202);
  answer.fields["Location"] = fmt::format("/api/v1/operations/{}", number);
  return answer;
}

}   // namespace proxyd::admin
