#include "master/listeners.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "shared/config/endpoint.h"

namespace proxyd::master {
namespace {

constexpr auto kAgain = milliseconds(100);

// ":80" is two sockets, one for each family.
std::vector<std::string> expand(const std::string& address) {
  if (address.starts_with(':')) return {"0.0.0.0" + address, "[::]" + address};
  return {address};
}

void set(int socket, int level, int option) {
  const int one = 1;
  ::setsockopt(socket, level, option, &one, sizeof one);
}

Error failed(const std::string& address, int error) {
  return Error{fmt::format("listening on {} failed: {}", address, std::strerror(error))};
}

// The signals wait, blocked, for the master's loop, which does not turn yet.
bool is_asked_to_stop() {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGTERM) == 1 || ::sigismember(&pending, SIGINT) == 1 ||
         ::sigismember(&pending, SIGQUIT) == 1;
}

// A socket file that nobody answers on was left behind by a process that died.
void remove_stale(const std::string& path, const sockaddr_un& address) {
  UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool answered = ::connect(probe.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (!answered && errno == ECONNREFUSED) ::unlink(path.c_str());
}

Result<UniqueFd, int> bind_unix(const config::Endpoint& endpoint, int backlog) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  endpoint.path.copy(address.sun_path, sizeof address.sun_path - 1);
  remove_stale(endpoint.path, address);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::bind(socket.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return errno;
  ::chmod(endpoint.path.c_str(), 0666);
  if (::listen(socket.value(), backlog) != 0) return errno;
  return socket;
}

Result<UniqueFd, int> bind_tcp(const config::Endpoint& endpoint, const config::Listener& listener) {
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
  return socket;
}

}   // namespace

Listeners::~Listeners() { close(); }

void Listeners::close() {
  discard();
  for (const auto& [address, bound] : active_) {
    if (!bound.unix_path.empty()) ::unlink(bound.unix_path.c_str());
  }
  active_.clear();
}

Result<UniqueFd> Listeners::bind_patiently(const std::string& address, const config::Listener& listener,
                                           milliseconds patience) {
  const auto endpoint = config::Endpoint::parse(address);
  if (!endpoint) return failed(address, EINVAL);
  const Instant give_up = Clock::now() + patience;
  for (bool told = false;;) {
    auto bound = endpoint->kind == config::Endpoint::Kind::kUnix ? bind_unix(*endpoint, listener.backlog)
                                                                 : bind_tcp(*endpoint, listener);
    if (bound) return std::move(*bound);
    if (bound.error() != EADDRINUSE || Clock::now() >= give_up) return failed(address, bound.error());
    if (is_asked_to_stop()) return Error{fmt::format("stopped while it waited for {}, which is in use", address)};
    if (!told) log_.warning("address {} is in use: trying again for {} s", address, patience.count() / 1000);
    told = true;
    std::this_thread::sleep_for(kAgain);
  }
}

Result<std::vector<ListeningSocket>> Listeners::prepare(const std::map<std::string, config::Listener>& wanted,
                                                        milliseconds patience) {
  discard();
  std::vector<ListeningSocket> sockets;
  for (const auto& [name, listener] : wanted) {
    for (const std::string& given : listener.addresses) {
      for (const std::string& address : expand(given)) {
        wanted_[address] = listener.backlog;
        const auto known = active_.find(address);
        if (known != active_.end()) {
          sockets.push_back({name, address, known->second.socket.value()});
          continue;
        }
        auto socket = bind_patiently(address, listener, patience);
        if (!socket) {
          const std::string own = own_on_port_of(address);
          discard();
          if (own.empty()) return socket.error();
          return Error{fmt::format("{}; proxyd itself listens on {}: take that away first, in a change of its own",
                                   socket.error().message, own)};
        }
        const std::string path = address.starts_with("unix:") ? address.substr(5) : "";
        sockets.push_back({name, address, socket->value()});
        prepared_[address] = {std::move(*socket), listener.backlog, path};
      }
    }
  }
  return sockets;
}

// A socket of ours with the same port, which the kernel may not allow beside the new one ("0.0.0.0:80",
// "127.0.0.1:80").
std::string Listeners::own_on_port_of(const std::string& address) const {
  const auto wanted = config::Endpoint::parse(address);
  for (const auto& [active, bound] : active_) {
    const auto endpoint = config::Endpoint::parse(active);
    const bool same = wanted && endpoint && wanted->kind == config::Endpoint::Kind::kTcp &&
                      endpoint->kind == wanted->kind && endpoint->port == wanted->port;
    if (same) return active;
  }
  return {};
}

void Listeners::commit() {
  std::erase_if(active_, [this](const auto& entry) {
    if (wanted_.contains(entry.first)) return false;
    if (!entry.second.unix_path.empty()) ::unlink(entry.second.unix_path.c_str());
    return true;
  });
  for (auto& [address, bound] : active_) {   // listening again only sets the backlog
    if (bound.backlog != wanted_[address]) ::listen(bound.socket.value(), wanted_[address]);
    bound.backlog = wanted_[address];
  }
  active_.merge(prepared_);
  prepared_.clear();
}

void Listeners::discard() {
  for (const auto& [address, bound] : prepared_) {
    if (!bound.unix_path.empty()) ::unlink(bound.unix_path.c_str());
  }
  prepared_.clear();
  wanted_.clear();
}

}   // namespace proxyd::master
