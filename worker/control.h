#pragma once

#include <optional>

#include "shared/ipc/channel.h"
#include "worker/async/event_loop.h"
#include "worker/async/task_group.h"
#include "worker/worker.h"

namespace proxyd::worker {

// Obeys the master, in the order of its messages, and answers. Owned by main. When the master has gone the worker
// leaves the listeners, finishes what runs within 10 s and exits.
class Control : private async::Wakeup {
 public:
  Control(Worker& worker, ipc::Channel channel, const ipc::Inheritance& inheritance);

  void say_hello();

 private:
  void receive();
  void obey(ipc::Message message);
  void prepare(ipc::Message message);
  void activate(const ipc::Message& message);
  void answer(const ipc::Message& question);
  using Answerer = nlohmann::json (*)(const proxy::Configuration&, const nlohmann::json&);
  nlohmann::json with_configuration(const ipc::Message& question, Answerer answerer) const;
  nlohmann::json explained(const ipc::Message& question);
  nlohmann::json looked_up(const ipc::Message& question);
  async::Task<void> check_target(uint64_t id, nlohmann::json question);
  void send(ipc::MessageType type, uint64_t id, nlohmann::json body);
  void master_gone();

  Worker& worker_;
  ipc::Channel channel_;
  ipc::Inheritance inheritance_;
  std::optional<Worker::Prepared> prepared_;
  async::TaskGroup answers_;   // that take time
};

}   // namespace proxyd::worker
