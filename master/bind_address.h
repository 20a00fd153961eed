#pragma once

#include <string>

#include "master/purpose.h"
#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/config/endpoint.h"
#include "shared/config/model.h"

namespace proxyd::master {

// A socket that listens. A move-only value; whoever closes it for good removes the file.
struct BoundSocket {
  UniqueFd socket;
  std::string file;   // a unix socket's, when there is one
};

// Listens at `endpoint`, once; never waits. A socket file that nobody answers on, left behind by a process that died,
// is replaced; in a rehearsal it stays, and a socket without a name stands in. Fails with errno: EADDRINUSE when
// somebody else listens there, ENOTSOCK when the path is that of a file which is no socket and which is left alone.
Result<BoundSocket, int> bind_address(const config::Endpoint& endpoint, const config::Listener& listener,
                                      Purpose purpose);

}   // namespace proxyd::master
