#pragma once

#include <cstddef>
#include <iterator>
#include <list>
#include <optional>

#include "worker/async/task.h"

namespace proxyd::async {

// Tasks that nobody awaits: each ends by itself and is let go then, with what its frame owns. Destroying the group
// cancels them. What one throws ends it alone. Owned by whoever starts them, for as long as what they use; one thread.
class TaskGroup {
 public:
  TaskGroup() = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Which one it is, as long as it has not ended.
  class Place;
  // The place of a task that has ended already is none.
  Place add(Task<void> task);
  // Ends one from outside; not from within itself.
  void cancel(const Place& place);
  size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }

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

class TaskGroup::Place {
 public:
  Place() = default;

 private:
  friend class TaskGroup;
  explicit Place(std::list<Member>::iterator where) : where_(where) {}
  std::optional<std::list<Member>::iterator> where_;
};

inline TaskGroup::Place TaskGroup::add(Task<void> task) {
  if (task.done()) return {};
  Member& member = members_.emplace_back(*this, std::move(task));
  member.place = std::prev(members_.end());
  member.task.wake_at_end(member);
  return Place(member.place);
}

inline void TaskGroup::cancel(const Place& place) {
  if (place.where_) members_.erase(*place.where_);
}

}   // namespace proxyd::async
