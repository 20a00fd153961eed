#pragma once

#include <memory>
#include <string>

#include "shared/base/result.h"

namespace proxyd::master {
class Master;
}

namespace proxyd::admin {

class Context;

// The admin API's front: HTTP by POCO on the unix socket and, unless it is off, on a TCP address. Threads and
// connections are capped; every request has a deadline. Owned by main; the parts of the master outlive it.
class AdminServer {
 public:
  explicit AdminServer(master::Master& master);
  ~AdminServer();

  // Fails naming the address, or the key that must be set.
  Result<void> start();
  void stop();
  // Of the TCP side, or of the socket.
  std::string url() const;

 private:
  void open_to_group();

  struct Servers;
  std::unique_ptr<Context> context_;
  std::unique_ptr<Servers> servers_;
};

}   // namespace proxyd::admin
