#include "worker/upstream/prober.h"

#include <algorithm>

#include "shared/base/steady.h"

namespace proxyd::upstream {
namespace {

constexpr size_t kMostAtOnce = 256;
constexpr uint64_t kLongestSleep = 1000;   // ms
constexpr uint64_t kShortestSleep = 5;
constexpr uint64_t kJitterPercent = 20;

uint64_t steady_now(Instant now) { return static_cast<uint64_t>(steady_ms(now)); }

// Between 0 and `most`, the same in every worker for the same check, so that who takes over does not begin anew.
uint64_t spread(uint32_t row, uint64_t checked_ms, uint64_t most) {
  uint64_t mixed = (checked_ms ^ uint64_t{row} << 32) * 0x9E3779B97F4A7C15u;
  mixed ^= mixed >> 32;
  return most == 0 ? 0 : mixed % most;
}

// When the next check of a target is due: an interval after the last began, give or take a fifth.
uint64_t due_ms(const CheckRules& rules, uint32_t row, uint64_t checked_ms) {
  if (checked_ms == 0) return 0;
  const auto interval = static_cast<uint64_t>(rules.active.interval.count());
  const uint64_t fifth = interval * kJitterPercent / 100;
  return checked_ms + interval - fifth + spread(row, checked_ms, 2 * fifth + 1);
}

// A path is no host.
std::string host_of(const Member& member) {
  return member.probe->where().starts_with("unix:") ? "localhost" : member.probe->where();
}

}   // namespace

// A row whose check runs. Lies in the check's frame, so that it ends with it however that ends.
class Prober::Running {
 public:
  Running(std::set<uint32_t>& rows, uint32_t row) : rows_(rows), row_(row) { rows_.insert(row_); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { rows_.erase(row_); }

 private:
  std::set<uint32_t>& rows_;
  uint32_t row_;
};

Prober::Prober(async::EventLoop& loop, const status::StatusRegion& status, uint32_t slot)
    : Wakeup([](Wakeup& self) { static_cast<Prober&>(self).look(); }),
      loop_(loop),
      status_(status),
      lease_(status, slot),
      timer_(*this) {}

void Prober::follow(std::shared_ptr<const Groups> groups) {
  groups_ = std::move(groups);
  renew();
}

void Prober::renew() {
  const bool any = groups_ && std::any_of(groups_->begin(), groups_->end(),
                                          [](const auto& one) { return one.second.check != nullptr; });
  holds_lease_ = lease_.renew(steady_now(loop_.now()));
  if (holds_lease_ && any) look();
}

// Those that are due, the most overdue first; and when the next one will be.
std::vector<Prober::Due> Prober::collect(uint64_t now_ms, uint64_t& next_ms) const {
  std::vector<Due> due;
  for (const auto& [name, group] : *groups_) {
    if (!group.check) continue;
    for (const Member& member : group.members) {
      const uint32_t row = member.target->row();
      if (!member.probe || member.admission == config::Admission::kMaintenance || running_.contains(row)) continue;
      const uint64_t at = due_ms(*group.check, row, status::TargetHealth(status_.health(row)).checked_ms());
      if (at <= now_ms)
        due.push_back({at, &group, &member});
      else
        next_ms = std::min(next_ms, at);
    }
  }
  std::sort(due.begin(), due.end(), [](const Due& a, const Due& b) { return a.at_ms < b.at_ms; });
  return due;
}

void Prober::look() {
  if (!holds_lease_ || !groups_) return;
  const uint64_t now = steady_now(loop_.now());
  uint64_t next = now + kLongestSleep;
  for (const Due& one : collect(now, next)) {
    if (running_.size() >= kMostAtOnce) break;   // the end of a check looks again
    tasks_.add(check(groups_, one));
  }
  look_at(std::max(next, now + kShortestSleep));
}

void Prober::look_at(uint64_t at_ms) {
  next_look_ms_ = at_ms;
  const uint64_t now = steady_now(loop_.now());
  loop_.timers().arm(timer_, Deadline::at(loop_.now() + milliseconds(at_ms - std::min(at_ms, now))));
}

async::Task<CheckResult> Prober::check_once(std::shared_ptr<const Groups> groups, const UpstreamGroup& group,
                                            const Member& member) {
  const status::StatusRegion& status = *group.status;
  async::EventLoop& loop = member.target->services().loop;
  status::TargetHealth health(status.health(member.target->row()));
  health.begin_check(steady_now(loop.now()));
  CheckResult result = co_await check_health(member.probe, group.check, host_of(member));
  const auto code = static_cast<uint16_t>(std::clamp(result.status, 0, 999));
  const bool turned =
      health.note_check({steady_now(loop.now()), result.finding, code}, static_cast<uint32_t>(group.check->active.rise),
                        static_cast<uint32_t>(group.check->active.fall));
  if (turned) status.version(group.row).fetch_add(1, std::memory_order_release);
  co_return result;
}

async::Task<void> Prober::check(std::shared_ptr<const Groups> groups, Due due) {
  const uint32_t row = due.member->target->row();
  Running running(running_, row);
  (void)co_await check_once(groups, *due.group, *due.member);
  const bool others_wait = running_.size() >= kMostAtOnce;
  const uint64_t began = status::TargetHealth(status_.health(row)).checked_ms();
  const uint64_t next = others_wait ? steady_now(loop_.now()) : due_ms(*due.group->check, row, began);
  if (next < next_look_ms_) look_at(next);
}

}   // namespace proxyd::upstream
