#include "shared/ipc/channel.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "shared/memory/sealed_memory.h"

namespace proxyd::ipc {
namespace {

constexpr uint32_t kMagic = 0x70786431;   // "pxd1"
constexpr size_t kInlineBody = 32 * 1024;
constexpr size_t kLargestBody = 16 * 1024 * 1024;
constexpr size_t kMostDescriptors = 250;

struct Header {
  uint32_t magic;
  uint32_t type;
  uint64_t id;
  uint32_t body_in_memory;   // 1: the body is in a memfd, the first descriptor
  uint32_t descriptors;
};

using Control = std::array<char, CMSG_SPACE(sizeof(int) * (kMostDescriptors + 1))>;

void attach(msghdr& message, Control& control, const std::vector<int>& descriptors) {
  if (descriptors.empty()) return;
  const size_t size = descriptors.size() * sizeof(int);
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(header), descriptors.data(), size);
}

std::vector<UniqueFd> detach(msghdr& message) {
  std::vector<UniqueFd> descriptors;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      descriptors.emplace_back(descriptor);
    }
  }
  return descriptors;
}

}   // namespace

Result<std::pair<Channel, Channel>> Channel::make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return Error{fmt::format("no control channel for a worker: {}", std::strerror(errno))};
  }
  return std::pair(Channel(UniqueFd(ends[0])), Channel(UniqueFd(ends[1])));
}

Result<void, ChannelError> Channel::send(Message message) {
  std::string body = message.body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::vector<int> descriptors;
  UniqueFd body_memory;
  if (body.size() > kInlineBody) {
    auto sealed = memory::seal_content("proxyd-message", body);
    if (!sealed) return ChannelError::kBroken;
    body_memory = std::move(*sealed);
    descriptors.push_back(body_memory.value());
    body.clear();
  }
  for (const UniqueFd& descriptor : message.descriptors) descriptors.push_back(descriptor.value());
  if (descriptors.size() > kMostDescriptors) return ChannelError::kBroken;
  Header header{kMagic, static_cast<uint32_t>(message.type), message.id, body_memory ? 1u : 0u,
                static_cast<uint32_t>(descriptors.size())};
  std::array<iovec, 2> parts = {iovec{&header, sizeof header}, iovec{body.data(), body.size()}};
  msghdr out{};
  out.msg_iov = parts.data();
  out.msg_iovlen = parts.size();
  alignas(cmsghdr) Control control{};
  attach(out, control, descriptors);
  for (;;) {
    if (::sendmsg(socket_.value(), &out, MSG_NOSIGNAL) >= 0) return {};
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return ChannelError::kWouldBlock;
    return errno == EPIPE || errno == ECONNRESET ? ChannelError::kClosed : ChannelError::kBroken;
  }
}

Result<Message, ChannelError> Channel::receive() {
  std::string body(kInlineBody, '\0');
  Header header{};
  std::array<iovec, 2> parts = {iovec{&header, sizeof header}, iovec{body.data(), body.size()}};
  msghdr in{};
  in.msg_iov = parts.data();
  in.msg_iovlen = parts.size();
  alignas(cmsghdr) Control control{};
  in.msg_control = control.data();
  in.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket_.value(), &in, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return ChannelError::kWouldBlock;
  if (got < 0 && errno == ECONNRESET) return ChannelError::kClosed;   // the other end left what it had not read
  if (got < 0) return ChannelError::kBroken;
  if (got == 0) return ChannelError::kClosed;
  Message message;
  message.descriptors = detach(in);
  const bool ours = static_cast<size_t>(got) >= sizeof header && header.magic == kMagic;
  if ((in.msg_flags & MSG_TRUNC) != 0 || !ours) return ChannelError::kBroken;
  message.type = static_cast<MessageType>(header.type);
  message.id = header.id;
  if (header.descriptors != message.descriptors.size()) {   // this process has no room for more
    message.descriptors.clear();
    message.descriptors_lost = true;
    return message;
  }
  body.resize(static_cast<size_t>(got) - sizeof header);
  if (header.body_in_memory != 0) {
    if (message.descriptors.empty()) return ChannelError::kBroken;
    auto content = memory::read_sealed(message.descriptors.front().value(), kLargestBody);
    if (!content) return ChannelError::kBroken;
    body = std::move(*content);
    message.descriptors.erase(message.descriptors.begin());
  }
  message.body = nlohmann::json::parse(body, nullptr, false);
  if (message.body.is_discarded()) return ChannelError::kBroken;
  return message;
}

}   // namespace proxyd::ipc
