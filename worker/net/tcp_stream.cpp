#include "worker/net/tcp_stream.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

namespace proxyd::net {

bool TcpStream::start(async::EventLoop& loop, UniqueFd socket) {
  socket_ = std::move(socket);
  return watched_.start(loop, socket_.value());
}

Moved TcpStream::read(char* to, size_t size) {
  if (!watched_.readable()) return {Moved::State::kWouldBlock};
  for (;;) {
    const ssize_t got = ::recv(socket_.value(), to, size, 0);
    if (got > 0) {
      // A short read has emptied the socket: the next octet makes a new edge.
      if (static_cast<size_t>(got) < size) watched_.drained();
      return {Moved::State::kSome, static_cast<size_t>(got)};
    }
    if (got == 0) return {cut_.is_set() ? Moved::State::kBroken : Moved::State::kEnd};
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return {Moved::State::kBroken};
    watched_.exhausted();
    return {Moved::State::kWouldBlock};
  }
}

Moved TcpStream::peek(char* to, size_t size) {
  if (!watched_.readable()) return {Moved::State::kWouldBlock};
  for (;;) {
    const ssize_t got = ::recv(socket_.value(), to, size, MSG_PEEK);
    if (got > 0) return {Moved::State::kSome, static_cast<size_t>(got)};
    if (got == 0) return {Moved::State::kEnd};
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return {Moved::State::kBroken};
    watched_.exhausted();
    return {Moved::State::kWouldBlock};
  }
}

Moved TcpStream::write(std::span<const iovec> from) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(from.data());
  message.msg_iovlen = from.size();
  size_t wanted = 0;
  for (const iovec& part : from) wanted += part.iov_len;
  for (;;) {
    // For one part send is the shorter way through the kernel.
    const ssize_t put = from.size() == 1 ? ::send(socket_.value(), from[0].iov_base, wanted, MSG_NOSIGNAL)
                                         : ::sendmsg(socket_.value(), &message, MSG_NOSIGNAL);
    if (put >= 0) {
      if (static_cast<size_t>(put) < wanted) watched_.filled();
      return {Moved::State::kSome, static_cast<size_t>(put)};
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return {Moved::State::kBroken};
    watched_.filled();
    return {Moved::State::kWouldBlock};
  }
}

size_t TcpStream::unacknowledged() const {
  int octets = 0;
  return ::ioctl(socket_.value(), SIOCOUTQ, &octets) == 0 && octets > 0 ? static_cast<size_t>(octets) : 0;
}

size_t TcpStream::arrived() const {
  int octets = 0;
  return ::ioctl(socket_.value(), FIONREAD, &octets) == 0 && octets > 0 ? static_cast<size_t>(octets) : 0;
}

// The question itself makes the kernel tell when there is room.
bool TcpStream::has_room() {
  pollfd asked{.fd = socket_.value(), .events = POLLOUT, .revents = 0};
  if (::poll(&asked, 1, 0) != 0) return true;   // or broken, which the next write says
  watched_.filled();
  return false;
}

void TcpStream::end_writing() { ::shutdown(socket_.value(), SHUT_WR); }

void TcpStream::abort_on_close() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.value(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void TcpStream::cut() {
  cut_.raise(watched_.loop().ready());
  ::shutdown(socket_.value(), SHUT_RDWR);
}

async::WaitReady TcpStream::readable(Deadline deadline) {
  return {watched_.loop(), watched_.when_readable(), deadline};
}

async::WaitReady TcpStream::writable(Deadline deadline) {
  return {watched_.loop(), watched_.when_writable(), deadline};
}

}   // namespace proxyd::net
