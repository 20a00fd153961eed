#include "master/publication.h"

#include <fcntl.h>

namespace proxyd::master {

UniqueFd duplicate(int descriptor) { return UniqueFd(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3)); }

ipc::Message Publication::message(uint64_t id) const {
  ipc::Message message;
  message.type = ipc::MessageType::kPrepare;
  message.id = id;
  nlohmann::json listeners = nlohmann::json::array();
  message.descriptors.push_back(duplicate(snapshot.value()));
  for (const Socket& socket : sockets) {
    listeners.push_back({{"name", socket.listener}, {"address", socket.address}});
    message.descriptors.push_back(duplicate(socket.descriptor.value()));
  }
  for (const UniqueFd& log : access_logs) message.descriptors.push_back(duplicate(log.value()));
  message.descriptors.push_back(duplicate(error_log.value()));
  message.body = {{"revision", revision},
                  {"epoch", epoch},
                  {"listeners", std::move(listeners)},
                  {"access_logs", access_logs.size()}};
  return message;
}

}   // namespace proxyd::master
