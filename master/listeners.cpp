#include "master/listeners.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
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

Error failed(const std::string& address, int error) {
  if (error == ENOTSOCK)
    return Error{fmt::format(
        "listening on {} failed: a file of that name is there, and it is no socket; name another path", address)};
  return Error{fmt::format("listening on {} failed: {}", address, std::strerror(error))};
}

// The signals wait, blocked, for the master's loop, which does not turn yet.
bool is_asked_to_stop() {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGTERM) == 1 || ::sigismember(&pending, SIGINT) == 1 ||
         ::sigismember(&pending, SIGQUIT) == 1;
}

}   // namespace

Listeners::~Listeners() { close(); }

void Listeners::close() {
  discard();
  for (const auto& [address, bound] : active_) {
    if (!bound.file.empty()) ::unlink(bound.file.c_str());
  }
  active_.clear();
}

Result<BoundSocket> Listeners::bind_patiently(const std::string& address, const config::Listener& listener,
                                              milliseconds patience, Purpose purpose) {
  const auto endpoint = config::Endpoint::parse(address);
  if (!endpoint) return failed(address, EINVAL);
  const Instant give_up = Clock::now() + patience;
  for (bool told = false;;) {
    auto bound = bind_address(*endpoint, listener, purpose);
    if (bound) return std::move(*bound);
    if (bound.error() != EADDRINUSE || Clock::now() >= give_up) return failed(address, bound.error());
    if (is_asked_to_stop()) return Error{fmt::format("stopped while it waited for {}, which is in use", address)};
    if (!told) log_.warning("address {} is in use: trying again for {} s", address, patience.count() / 1000);
    told = true;
    std::this_thread::sleep_for(kAgain);
  }
}

Result<std::vector<ListeningSocket>> Listeners::prepare(const std::map<std::string, config::Listener>& wanted,
                                                        milliseconds patience, Purpose purpose) {
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
        auto socket = bind_patiently(address, listener, patience, purpose);
        if (!socket) {
          const std::string own = own_on_port_of(address);
          discard();
          if (own.empty()) return socket.error();
          return Error{fmt::format("{}; proxyd itself listens on {}: take that away first, in a change of its own",
                                   socket.error().message, own)};
        }
        sockets.push_back({name, address, socket->socket.value()});
        prepared_[address] = {std::move(socket->socket), listener.backlog, std::move(socket->file)};
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
    if (!entry.second.file.empty()) ::unlink(entry.second.file.c_str());
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
    if (!bound.file.empty()) ::unlink(bound.file.c_str());
  }
  prepared_.clear();
  wanted_.clear();
}

}   // namespace proxyd::master
