#include "shared/ipc/publication.h"

#include <fcntl.h>

namespace proxyd::ipc {

UniqueFd duplicate(int descriptor) { return UniqueFd(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3)); }

Edition Edition::of(const nlohmann::json& body) {
  return {body.value("revision", uint64_t{0}), body.value("epoch", uint64_t{0})};
}

Message Publication::message(uint64_t id) const {
  Message message;
  message.type = MessageType::kPrepare;
  message.id = id;
  message.body = edition.body();
  nlohmann::json& listeners = message.body["listeners"] = nlohmann::json::array();
  message.descriptors.push_back(duplicate(snapshot.value()));
  for (const Socket& socket : sockets) {
    listeners.push_back({{"name", socket.listener}, {"address", socket.address}});
    message.descriptors.push_back(duplicate(socket.descriptor.value()));
  }
  for (const UniqueFd& log : access_logs) message.descriptors.push_back(duplicate(log.value()));
  message.descriptors.push_back(duplicate(error_log.value()));
  message.body["access_logs"] = access_logs.size();
  return message;
}

Result<Publication> Publication::of(Message message) {
  if (message.descriptors_lost) return Error{"this worker has no descriptors left; raise the limit of open files"};
  const auto listeners = message.body.value("listeners", nlohmann::json::array());
  const auto logs = message.body.value("access_logs", size_t{0});
  if (message.descriptors.size() != 1 + listeners.size() + logs + 1) return Error{"descriptors are missing"};
  Publication publication;
  publication.edition = Edition::of(message.body);
  auto next = message.descriptors.begin();
  publication.snapshot = std::move(*next++);
  for (const auto& listener : listeners)
    publication.sockets.push_back({listener.at("name"), listener.at("address"), std::move(*next++)});
  for (size_t i = 0; i < logs; ++i) publication.access_logs.push_back(std::move(*next++));
  publication.error_log = std::move(*next);
  return publication;
}

}   // namespace proxyd::ipc
