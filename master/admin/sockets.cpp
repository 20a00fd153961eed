#include "master/admin/sockets.h"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace proxyd::admin {
namespace {

constexpr auto kHead = std::chrono::seconds(10);
constexpr auto kBody = std::chrono::seconds(30);
constexpr auto kWrite = std::chrono::seconds(10);
constexpr auto kLinger = std::chrono::seconds(1);

}   // namespace

TimedSocket::TimedSocket(int descriptor, std::shared_ptr<Occupancy> occupancy)
    : StreamSocketImpl(descriptor), occupancy_(std::move(occupancy)) {
  ++occupancy_->connections;
}

TimedSocket::~TimedSocket() { --occupancy_->connections; }

bool TimedSocket::wait_until(Instant end, int events) const {
  pollfd one{sockfd(), static_cast<short>(events), 0};
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    const int ready = ::poll(&one, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

int TimedSocket::receiveBytes(void* buffer, int length, int flags) {
  if (!end_) end_ = Clock::now() + kHead;
  for (;;) {
    cut_ = true;
    if (!wait_until(*end_, POLLIN)) throw Poco::TimeoutException("the client is too slow");
    const ssize_t got = ::recv(sockfd(), buffer, static_cast<size_t>(length), flags | MSG_DONTWAIT);
    cut_ = got <= 0;
    if (got >= 0) return static_cast<int>(got);
    if (errno != EINTR && errno != EAGAIN) throw Poco::Net::NetException("the client is gone", errno);
  }
}

int TimedSocket::sendBytes(const void* buffer, int length, int flags) {
  const Instant end = Clock::now() + kWrite;
  int sent = 0;
  while (sent < length) {
    const ssize_t wrote = ::send(sockfd(), static_cast<const char*>(buffer) + sent, static_cast<size_t>(length - sent),
                                 flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    if (wrote >= 0) {
      sent += static_cast<int>(wrote);
      continue;
    }
    if (errno != EINTR && errno != EAGAIN) throw Poco::Net::NetException("the client is gone", errno);
    if (!wait_until(end, POLLOUT)) throw Poco::TimeoutException("the client does not read");
  }
  return sent;
}

void TimedSocket::linger() {
  const Instant end = Clock::now() + kLinger;
  std::array<char, 16384> waste;
  ::shutdown(sockfd(), SHUT_WR);
  while (wait_until(end, POLLIN) && ::recv(sockfd(), waste.data(), waste.size(), MSG_DONTWAIT) > 0) {
  }
}

void TimedSocket::expect_body() {
  end_ = Clock::now() + kBody;
  cut_ = false;
}
void TimedSocket::expect_head() { end_.reset(); }

std::optional<Peer> TimedSocket::credentials() const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(sockfd(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  std::vector<gid_t> groups(65536);   // NGROUPS_MAX
  socklen_t octets = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  groups.resize(::getsockopt(sockfd(), SOL_SOCKET, SO_PEERGROUPS, groups.data(), &octets) == 0 ? octets / sizeof(gid_t)
                                                                                               : 0);
  groups.push_back(peer.gid);
  return Peer{peer.uid, std::move(groups)};
}

Poco::Net::SocketImpl* AdoptedSocketImpl::acceptConnection(Poco::Net::SocketAddress&) {
  const int accepted = ::accept4(sockfd(), nullptr, nullptr, SOCK_CLOEXEC);
  if (accepted < 0) throw Poco::IOException("accept", errno);
  return new TimedSocket(accepted, occupancy_);
}

bool ConnectionLimit::accept(const Poco::Net::StreamSocket&) {
  return occupancy_->connections - occupancy_->streams <= kMost;
}

}   // namespace proxyd::admin
