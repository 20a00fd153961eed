#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shared/config/model_upstream.h"
#include "shared/status/target_health.h"
#include "worker/async/task.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {

// How the targets of an upstream are checked. Immutable; owned by its group.
struct CheckRules {
  config::ActiveHealth active;
  std::vector<std::pair<std::string, std::string>> fields;   // of the request: values from files among them
};

// What came of a check.
struct CheckResult {
  status::Finding finding = status::Finding::kOk;
  int status = 0;   // of the answer, when there was one
  std::chrono::microseconds took{0};
  std::string content;   // the first of it, for people
};

// Asks `probe` once, by the connector, TLS and HTTP/2 that requests have; `host` is the Host of its request where the
// rules name none. In HTTP/1.1 each check has a new connection, in HTTP/2 they share one. Suspends until the answer is
// there, at most for the timeout of the rules. The rules and the probe are kept meanwhile.
async::Task<CheckResult> check_health(std::shared_ptr<Target> probe, std::shared_ptr<const CheckRules> rules,
                                      std::string host);

// What a check asks, in a line for people.
std::string described(const CheckRules& rules);

}   // namespace proxyd::upstream
