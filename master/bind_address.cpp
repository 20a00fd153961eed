#include "master/bind_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace proxyd::master {
namespace {

void set(int socket, int level, int option) {
  const int one = 1;
  ::setsockopt(socket, level, option, &one, sizeof one);
}

UniqueFd unix_socket() { return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

enum class AtPath { kNothing, kLeftBehind, kInUse, kNoSocket };

// A backlog that is full answers, too: EAGAIN.
AtPath look_at(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return AtPath::kNothing;
  if (!S_ISSOCK(status.st_mode)) return AtPath::kNoSocket;
  const sockaddr_un address = address_of(path);
  const UniqueFd probe = unix_socket();
  const bool answered = ::connect(probe.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  return !answered && errno == ECONNREFUSED ? AtPath::kLeftBehind : AtPath::kInUse;
}

// The kernel gives it a name of its own, which is no file.
Result<BoundSocket, int> stand_in(const std::string& path, int backlog) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return errno;
  const sockaddr_un address = address_of("");
  UniqueFd socket = unix_socket();
  if (!socket || ::bind(socket.value(), reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t)) != 0)
    return errno;
  if (::listen(socket.value(), backlog) != 0) return errno;
  return BoundSocket{std::move(socket), ""};
}

Result<BoundSocket, int> bind_unix(const std::string& path, int backlog, Purpose purpose) {
  const AtPath found = look_at(path);
  if (found == AtPath::kNoSocket) return ENOTSOCK;
  if (found == AtPath::kLeftBehind && purpose == Purpose::kRehearsal) return stand_in(path, backlog);
  if (found == AtPath::kLeftBehind) ::unlink(path.c_str());
  const sockaddr_un address = address_of(path);
  UniqueFd socket = unix_socket();
  if (!socket || ::bind(socket.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return errno;
  ::chmod(path.c_str(), 0666);
  if (::listen(socket.value(), backlog) != 0) return errno;
  return BoundSocket{std::move(socket), path};
}

Result<BoundSocket, int> bind_tcp(const config::Endpoint& endpoint, const config::Listener& listener) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  if (::getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found) != 0 || !found) return EADDRNOTAVAIL;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  UniqueFd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return errno;
  set(socket.value(), SOL_SOCKET, SO_REUSEADDR);
  set(socket.value(), IPPROTO_TCP, TCP_NODELAY);   // accepted sockets inherit it
  if (found->ai_family == AF_INET6) set(socket.value(), IPPROTO_IPV6, IPV6_V6ONLY);
  if (listener.freebind) set(socket.value(), IPPROTO_IP, IP_FREEBIND);
  if (::bind(socket.value(), found->ai_addr, found->ai_addrlen) != 0) return errno;
  if (::listen(socket.value(), listener.backlog) != 0) return errno;
  return BoundSocket{std::move(socket), ""};
}

}   // namespace

Result<BoundSocket, int> bind_address(const config::Endpoint& endpoint, const config::Listener& listener,
                                      Purpose purpose) {
  return endpoint.kind == config::Endpoint::Kind::kUnix ? bind_unix(endpoint.path, listener.backlog, purpose)
                                                        : bind_tcp(endpoint, listener);
}

}   // namespace proxyd::master
