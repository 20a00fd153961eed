#pragma once

#include <cstdint>

#include "shared/config/model.h"
#include "shared/status/status_region.h"
#include "worker/http/method.h"
#include "worker/upstream/exchange.h"

namespace proxyd::upstream {

// Whether a request may be sent again: only what never reached the origin, or is of a listed method
// with nothing of its content gone; a number of times; and within a share of all requests now running, retries of all
// workers counted together (ten may always run, so that the share means something when little is going on; none with a
// share of zero).
class RetryPolicy {
 public:
  RetryPolicy(const config::Retry& rules, const status::StatusRegion& status) : rules_(rules), status_(status) {}

  struct Attempt {
    int number = 1;   // of the attempt that failed, from 1
    Fault fault = Fault::kNone;
    int status = 0;             // of its response, when there was one
    bool content_held = true;   // nothing of the request's content has been consumed
    std::string_view method_text;
  };
  bool may_retry(const Attempt& attempt) const;

 private:
  bool is_retried(const Attempt& attempt) const;
  bool is_listed(std::string_view method) const;
  bool within_budget() const;

  const config::Retry& rules_;
  const status::StatusRegion& status_;
};

// Counts a retry as running for as long as it lives, where every worker sees it.
class RunningRetry {
 public:
  RunningRetry() = default;
  RunningRetry(const RunningRetry&) = delete;
  RunningRetry& operator=(const RunningRetry&) = delete;
  ~RunningRetry();
  void begin(status::WorkerSlot& slot);

 private:
  status::WorkerSlot* slot_ = nullptr;
};

}   // namespace proxyd::upstream
