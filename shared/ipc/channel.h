#pragma once

#include <optional>
#include <utility>

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/ipc/message.h"

namespace proxyd::ipc {

enum class ChannelError { kWouldBlock, kClosed, kBroken };   // kBroken: not a message of ours, or a system error

// One end of the SOCK_SEQPACKET pair between master and worker, non-blocking and close-on-exec. Owned by whoever talks
// over it; both processes; never suspends. Messages arrive whole and in order. A body above 32 KiB goes through a
// sealed memfd, so a message is bounded by 16 MiB, not by the socket's buffer. Not thread-safe.
class Channel {
 public:
  explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}
  static Result<std::pair<Channel, Channel>> make_pair();

  int descriptor() const { return socket_.value(); }
  // Descriptors in the message are sent as duplicates and closed here when the send succeeded.
  Result<void, ChannelError> send(Message message);
  Result<Message, ChannelError> receive();

 private:
  UniqueFd socket_;
};

}   // namespace proxyd::ipc
