#pragma once

#include <memory>

#include "shared/base/result.h"
#include "worker/async/task.h"
#include "worker/http1/head_parser.h"
#include "worker/upstream/exchange.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {

// An exchange with `target` on a pooled connection; null when none is idle.
std::unique_ptr<Exchange> reuse_connection(const std::shared_ptr<Target>& target, const http1::HeadRules& rules);

// An exchange with `target` on a new connection: its addresses are tried one after the other until one accepts, all
// before `deadline`. Suspends while it connects.
async::Task<Result<std::unique_ptr<Exchange>, Fault>> open_exchange(std::shared_ptr<Target> target,
                                                                    http1::HeadRules rules, Deadline deadline);

}   // namespace proxyd::upstream
