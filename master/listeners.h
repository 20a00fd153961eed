#pragma once

#include <map>
#include <string>
#include <vector>

#include "master/bind_address.h"
#include "master/purpose.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/config/model.h"

namespace proxyd::master {

// A listening socket that is bound. Workers get duplicates.
struct ListeningSocket {
  std::string listener;   // name
  std::string address;    // as bound: "0.0.0.0:80", "[::]:80", "unix:/path"
  int descriptor = -1;
};

// The listening sockets of the active configuration, bound by the master and shared with every worker. A new document
// keeps what it still names and binds the rest before workers prepare; `commit` closes what it no longer names,
// `discard` closes what was new. Owned by the master; callers hold the configuration's lock.
class Listeners {
 public:
  explicit Listeners(Log& log) : log_(log) {}
  ~Listeners();

  // Binds what is new in `wanted`, listeners by name. An address in use is tried again for `patience`. Fails naming the
  // address.
  Result<std::vector<ListeningSocket>> prepare(const std::map<std::string, config::Listener>& wanted,
                                               milliseconds patience, Purpose purpose);
  void commit();
  void discard();
  // All of them, at the end.
  void close();

 private:
  struct Bound {
    UniqueFd socket;
    int backlog = 0;
    std::string file;   // a unix socket's
  };
  Result<BoundSocket> bind_patiently(const std::string& address, const config::Listener& listener,
                                     milliseconds patience, Purpose purpose);

  std::string own_on_port_of(const std::string& address) const;

  Log& log_;
  std::map<std::string, Bound> active_;
  std::map<std::string, Bound> prepared_;   // new ones only
  std::map<std::string, int> wanted_;       // address → backlog, of the prepared document
};

}   // namespace proxyd::master
