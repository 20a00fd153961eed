#pragma once

#include <memory>

#include "shared/base/clock.h"
#include "shared/base/result.h"
#include "worker/async/task.h"
#include "worker/upstream/connection.h"
#include "worker/upstream/exchange.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {

// A new connection to `target`, which outlives the task, and where it has TLS its handshake, before `deadline`.
// `offer`: what that offers to speak; a target that is offered HTTP/2 alone has chosen it. A failure is counted here,
// and where TLS failed logged; that it connected is counted by the caller, who knows whether what is spoken on it has
// come about. Suspends while it connects.
async::Task<Result<std::unique_ptr<Connection>, Fault>> dial(Target& target, tls::ClientContext::Offer offer,
                                                             Deadline deadline);

}   // namespace proxyd::upstream
