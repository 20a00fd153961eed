#pragma once

#include <cstddef>
#include <iterator>
#include <list>

#include "worker/async/task.h"

namespace proxyd::async {

// Tasks that nobody awaits: each ends by itself and is let go then, with what its frame owns. Destroying the group
// cancels them. What one throws ends it alone. Owned by whoever starts them, for as long as what they use; one thread.
class TaskGroup {
 public:
  TaskGroup() = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  void add(Task<void> task) {
    if (task.done()) return;
    Member& member = members_.emplace_back(*this, std::move(task));
    member.place = std::prev(members_.end());
    member.task.wake_at_end(member);
  }
  size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }
  void cancel_all() { members_.clear(); }

 private:
  struct Member : Wakeup {
    Member(TaskGroup& owner, Task<void> running)
        : Wakeup([](Wakeup& self) {
            auto& ended = static_cast<Member&>(self);
            ended.group.members_.erase(ended.place);
          }),
          group(owner),
          task(std::move(running)) {}
    TaskGroup& group;
    Task<void> task;
    std::list<Member>::iterator place;
  };
  std::list<Member> members_;
};

}   // namespace proxyd::async
