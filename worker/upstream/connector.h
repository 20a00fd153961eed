#pragma once

#include <memory>

#include "shared/base/result.h"
#include "worker/async/task.h"
#include "worker/http1/head_parser.h"
#include "worker/upstream/exchange.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {

// An exchange with `target` on a pooled connection, or on a new one: its addresses are tried one after the other until
// one accepts, all before `deadline`. Suspends while it connects. `fresh`: no pooled one, because one just failed.
async::Task<Result<std::unique_ptr<Exchange>, Fault>> open_exchange(std::shared_ptr<Target> target,
                                                                    http1::HeadRules rules, Deadline deadline, bool fresh);

}  // namespace proxyd::upstream
