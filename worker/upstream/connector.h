#pragma once

#include <cstdint>
#include <memory>

#include "shared/base/result.h"
#include "worker/async/task.h"
#include "worker/http1/head_parser.h"
#include "worker/upstream/exchange.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {

// What an exchange is wanted for. A tunnel (WebSocket) is made on HTTP/1.1 alone.
enum class Use : uint8_t { kRequest, kTunnel };

// An exchange with `target` on a connection that is there; null when none is idle or, of HTTP/2, takes another request.
std::unique_ptr<Exchange> reuse_connection(const std::shared_ptr<Target>& target, const http1::HeadRules& rules,
                                           Use use);

// An exchange with `target` on a new connection, or, where HTTP/2 is spoken, on one that it shares with others who wait
// for it; before `deadline`. Suspends while it waits.
async::Task<Result<std::unique_ptr<Exchange>, Fault>> open_exchange(std::shared_ptr<Target> target,
                                                                    http1::HeadRules rules, Use use, Deadline deadline);

}   // namespace proxyd::upstream
