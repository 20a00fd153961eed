#pragma once

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/Net/TCPServer.h>

#include <atomic>
#include <memory>

#include "master/admin/exchange.h"
#include "shared/base/clock.h"

namespace proxyd::admin {

// How much of one door is in use. Shared by its sockets, which may outlive the server's own count of them.
struct Occupancy {
  std::atomic<int> connections{0};
  std::atomic<int> streams{0};
};

// A client's socket on which nothing waits for ever: a head has 10 s from its first octet, a body 30 s, a write 10 s,
// whatever trickles meanwhile. Used by the one thread that serves the connection; POCO may shut it down from another.
class TimedSocket : public Poco::Net::StreamSocketImpl {
 public:
  TimedSocket(int descriptor, std::shared_ptr<Occupancy> occupancy);

  int receiveBytes(void* buffer, int length, int flags) override;
  int sendBytes(const void* buffer, int length, int flags) override;
  void expect_body();
  void expect_head();
  // Whether the client has ended its side, or was too slow, since a body was expected: what came is not all.
  bool was_cut() const { return cut_; }
  // Ends our side and lets the client find the answer before what it still sends meets a closed socket.
  void linger();
  // Who connected to a unix socket, as the kernel noted it then.
  std::optional<Peer> credentials() const;

 protected:
  ~TimedSocket() override;

 private:
  bool wait_until(Instant end, int events) const;

  std::shared_ptr<Occupancy> occupancy_;
  std::optional<Instant> end_;
  bool cut_ = false;
};

// A listening socket that is bound already, TCP or unix.
class AdoptedSocketImpl : public Poco::Net::ServerSocketImpl {
 public:
  AdoptedSocketImpl(int descriptor, std::shared_ptr<Occupancy> occupancy) : occupancy_(std::move(occupancy)) {
    reset(descriptor);
  }
  Poco::Net::SocketImpl* acceptConnection(Poco::Net::SocketAddress& peer) override;

 private:
  std::shared_ptr<Occupancy> occupancy_;
};

class AdoptedSocket : public Poco::Net::ServerSocket {
 public:
  AdoptedSocket(int descriptor, std::shared_ptr<Occupancy> occupancy)
      : ServerSocket(new AdoptedSocketImpl(descriptor, std::move(occupancy)), true) {}
};

// At most 64 connections of a door, event streams apart; more are closed at once.
class ConnectionLimit : public Poco::Net::TCPServerConnectionFilter {
 public:
  static constexpr int kMost = 64;
  explicit ConnectionLimit(std::shared_ptr<Occupancy> occupancy) : occupancy_(std::move(occupancy)) {}
  bool accept(const Poco::Net::StreamSocket& socket) override;

 private:
  std::shared_ptr<Occupancy> occupancy_;
};

}   // namespace proxyd::admin
