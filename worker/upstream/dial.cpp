#include "worker/upstream/dial.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace proxyd::upstream {
namespace {

using Offer = tls::ClientContext::Offer;

Fault fault_of(int error) {
  switch (error) {
    case EADDRNOTAVAIL:
    case EAGAIN:   // a unix socket's queue is full, or no port is left
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return Fault::kNoPort;
    case ETIMEDOUT: return Fault::kConnectionTimeout;
    default: return Fault::kConnectionRefused;
  }
}

int pending_error(int descriptor) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

async::Task<Fault> connect_to(Connection& connection, async::EventLoop& loop, const net::SocketAddress& address,
                              Deadline deadline) {
  UniqueFd socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) co_return Fault::kNoPort;
  const int one = 1;
  if (address.family() != AF_UNIX) ::setsockopt(socket.value(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const int descriptor = socket.value();
  const int outcome = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.length);
  const int error = outcome == 0 ? 0 : errno;
  if (error != 0 && error != EINPROGRESS) co_return fault_of(error);
  if (!connection.start(loop, std::move(socket))) co_return Fault::kNoPort;
  if (error == EINPROGRESS) {
    const bool decided = co_await connection.tcp().writable(deadline);
    if (!decided) co_return Fault::kConnectionTimeout;
    const int late_error = pending_error(descriptor);
    if (late_error != 0) co_return fault_of(late_error);
  }
  co_return Fault::kNone;
}

// TLS, where the target has it.
async::Task<Fault> shake_hands(Connection& connection, Target& target, Offer offer, Deadline deadline) {
  using Handshake = tls::TlsStream::Handshake;
  tls::TlsStream& stream = connection.secure(*target.tls(), offer);
  for (;;) {
    const Handshake step = stream.handshake();
    if (step == Handshake::kDone) {
      if (offer != Offer::kHttp2 || stream.chose_http2()) co_return Fault::kNone;
      target.note_no_http2("it does not choose it in the TLS handshake (ALPN)");
      co_return Fault::kNoHttp2;
    }
    if (step == Handshake::kFailed) {
      target.note_failed_handshake(stream.failure());
      co_return connection.tcp().when_cut().is_set() ? Fault::kCutConnecting : Fault::kTls;
    }
    bool ready = false;
    if (step == Handshake::kReading) {
      ready = co_await stream.readable(deadline);
    } else {
      ready = co_await stream.writable(deadline);
    }
    if (!ready) co_return Fault::kConnectionTimeout;
  }
}

}   // namespace

async::Task<Result<std::unique_ptr<Connection>, Fault>> dial(Target& target, Offer offer, Deadline deadline) {
  using Dialled = Result<std::unique_ptr<Connection>, Fault>;
  if (!target.address()) co_return Dialled(Fault::kNoAddress);
  const net::SocketAddress address = *target.address();
  auto connection = std::make_unique<Connection>(target);
  Fault fault = co_await connect_to(*connection, target.services().loop, address, deadline);
  if (fault == Fault::kNone && target.tls()) fault = co_await shake_hands(*connection, target, offer, deadline);
  if (fault == Fault::kNone) {
    connection->connected();
    co_return Dialled(std::move(connection));
  }
  if (connection->tcp().when_cut().is_set()) co_return Dialled(Fault::kCutConnecting);
  target.counters().connect_failed.add();
  co_return Dialled(fault);
}

}   // namespace proxyd::upstream
