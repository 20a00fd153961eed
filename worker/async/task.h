#pragma once

#include <cassert>
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "worker/async/frame_pool.h"
#include "worker/async/wakeup.h"

namespace proxyd::async {

// A coroutine that starts at once and is owned by whoever holds the Task: the frame that awaits it, or an object that
// asks to be woken at its end. Destroying the Task cancels it: its frame goes, and every awaiter in it unlinks itself.
// A Task must not be destroyed from within itself. Whoever awaits it resumes through the ready queue, never inside the
// frame that ended. An exception is kept and thrown to whoever takes the result. One thread; frames come from the
// thread's FramePool.
template <class T>
class Task;

class PromiseCommon {
 public:
  static void* operator new(size_t size) { return FramePool::of_this_thread().allocate(size); }
  static void operator delete(void* frame, size_t size) { FramePool::of_this_thread().release(frame, size); }

  std::suspend_never initial_suspend() noexcept { return {}; }
  auto final_suspend() noexcept {
    struct WakeWhoAwaits {
      PromiseCommon* promise;
      bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<>) noexcept {
        if (promise->awaiting_) ReadyQueue::of_this_thread().push(*promise->awaiting_);
      }
      void await_resume() noexcept {}
    };
    return WakeWhoAwaits{this};
  }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }
  void wake_at_end(Wakeup* wakeup) { awaiting_ = wakeup; }

 protected:
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  Wakeup* awaiting_ = nullptr;
  std::exception_ptr exception_;
};

template <class T>
class Promise : public PromiseCommon {
 public:
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    rethrow();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> : public PromiseCommon {
 public:
  Task<void> get_return_object();
  void return_void() {}
  void take() { rethrow(); }
};

// A suspended coroutine as a wakeup.
struct Resume : Wakeup {
  Resume() : Wakeup([](Wakeup& self) { static_cast<Resume&>(self).handle.resume(); }) {}
  std::coroutine_handle<> handle;
};

// Gives way to everything else that is ready.
struct Yield : Resume {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> awaiting) {
    handle = awaiting;
    ReadyQueue::of_this_thread().push(*this);
  }
  void await_resume() const {}
};

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = Promise<T>;

  Task() = default;
  explicit Task(std::coroutine_handle<Promise<T>> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      cancel();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() { cancel(); }

  explicit operator bool() const { return handle_ != nullptr; }
  bool done() const { return handle_ && handle_.done(); }
  void cancel() {
    if (handle_) std::exchange(handle_, nullptr).destroy();
  }
  // Queues `wakeup` when the task ends, or now when it has. The wakeup outlives the task or is replaced before.
  void wake_at_end(Wakeup& wakeup) {
    if (handle_.done()) return ReadyQueue::of_this_thread().push(wakeup);
    handle_.promise().wake_at_end(&wakeup);
  }
  void forget_wakeup() {
    if (handle_) handle_.promise().wake_at_end(nullptr);
  }
  // The result of a task that is done; throws what it threw.
  T take() {
    assert(done());
    return handle_.promise().take();
  }

  auto operator co_await() & { return Await{this}; }
  auto operator co_await() && { return Await{this}; }

 private:
  struct Await {
    explicit Await(Task* awaited) : task(awaited) {}
    bool await_ready() const { return task->done(); }
    void await_suspend(std::coroutine_handle<> awaiting) {
      resume.handle = awaiting;
      task->handle_.promise().wake_at_end(&resume);
    }
    T await_resume() { return task->take(); }
    Task* task;
    Resume resume;
  };

  std::coroutine_handle<Promise<T>> handle_;
};

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

// Waits until one of two tasks is done; both go on living where they are, and either may be awaited later.
template <class A, class B>
class FirstOf {
 public:
  FirstOf(Task<A>& a, Task<B>& b) : a_(&a), b_(&b) {}
  ~FirstOf() {
    if (!waited_) return;
    a_->forget_wakeup();
    b_->forget_wakeup();
  }
  bool await_ready() const { return a_->done() || b_->done(); }
  void await_suspend(std::coroutine_handle<> awaiting) {
    waited_ = true;
    resume_.handle = awaiting;
    a_->wake_at_end(resume_);
    b_->wake_at_end(resume_);
  }
  void await_resume() {}

 private:
  Task<A>* a_;
  Task<B>* b_;
  bool waited_ = false;
  Resume resume_;
};

template <class A, class B>
FirstOf<A, B> first_of(Task<A>& a, Task<B>& b) {
  return {a, b};
}

}   // namespace proxyd::async
