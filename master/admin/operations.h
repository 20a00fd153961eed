#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "master/admin/exchange.h"
#include "shared/base/clock.h"

namespace proxyd::admin {

// A call that takes its time and goes on whether or not the caller stays: a drain, a removal, a worker's restart, the
// shutdown. Each has a thread of its own, which waits and looks. Owned by the context; any thread.
// Bounded: 64 at a time, the last 256 are remembered; `stop` ends them all.
class Operations {
 public:
  // The running call's side: how it waits and says how far it is.
  class Control {
   public:
    Control(Operations& operations, uint64_t number) : operations_(operations), number_(number) {}
    // False when it is to end now: somebody cancelled it, or the server stops.
    bool wait(milliseconds time) const;
    bool is_cancelled() const;
    void progress(Json json) const;

   private:
    Operations& operations_;
    uint64_t number_;
  };
  enum class State { kRunning, kDone, kTimedOut, kCancelled, kFailed };
  struct Ending {
    State state = State::kDone;
    AdminAnswer answer;   // what the caller gets who waited
  };
  using Work = std::function<Ending(const Control&)>;

  Operations() = default;
  ~Operations() { stop(); }
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  // Its number; that of the one already running when there is one of this kind for this subject. Nothing when 64 run.
  std::optional<uint64_t> start(const std::string& kind, const std::string& subject, const std::string& owner,
                                Work work);
  bool runs(const std::string& kind, const std::string& subject);
  // The ending, as soon as there is one within `patience`.
  std::optional<Ending> wait(uint64_t number, milliseconds patience);
  std::optional<Json> find(uint64_t number);
  Json list();
  // False when it does not run any more.
  bool cancel(uint64_t number);
  // The one of this kind for this subject. False when none runs.
  bool cancel(const std::string& kind, const std::string& subject);
  void stop();

 private:
  struct Operation {
    uint64_t number = 0;
    std::string kind;
    std::string subject;
    std::string owner;
    std::string started;
    std::string finished;
    Json progress = Json::object();
    bool cancelled = false;
    std::optional<Ending> ending;
    std::thread thread;
  };

  Operation* at(uint64_t number);
  static Json to_json(const Operation& operation);
  void run(uint64_t number, const Work& work);
  void forget_old(std::vector<std::thread>& ended);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Operation> all_;
  uint64_t last_ = 0;
  bool stopping_ = false;
};

// 202 with Location; or the ending when it comes within `patience`. `more` is what the call itself has to say.
AdminAnswer answer_for(Operations& operations, uint64_t number, milliseconds patience, const Json& more);

}   // namespace proxyd::admin
