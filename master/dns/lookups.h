#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/config/model_upstream.h"

namespace proxyd::dns {

// What is asked: a target's address as the document gives it, "host:port" or "srv:_service._proto.name", and how.
struct Query {
  std::string target;
  config::Resolve how;
  auto operator<=>(const Query&) const = default;
};

// One place where a target is.
struct Address {
  std::string address;     // "192.0.2.1:80", "[2001:db8::1]:80"
  uint16_t priority = 0;   // of its SRV record: lower ones go first
  uint16_t weight = 0;     // the same
  std::string source;      // the question that it answers, for when that one is not answered next time
  bool operator==(const Address&) const = default;
};

struct Outcome {
  enum class Kind {
    kFound,
    kNothing,   // the servers say that there is no such name, or that it has no address
    kFailed,    // they say nothing of use
  };
  Kind kind = Kind::kFailed;
  std::vector<Address> addresses;   // sorted, each once
  std::chrono::seconds ttl{0};
  std::string reason;                    // why nothing was found, or not all
  std::vector<std::string> unanswered;   // sources of which nothing is known now
};

struct Finished {
  Query query;
  Outcome outcome;
};

// Looks names up, several at once. `begin` and `wait` are one thread's; `wake` may be any's. Each lookup that is begun
// is finished once, within ten seconds.
class Lookups {
 public:
  virtual ~Lookups() = default;
  virtual void begin(const Query& query) = 0;
  // Waits until something is finished, `until`, or for `wake`, whichever is first; what is finished.
  virtual std::vector<Finished> wait(Instant until) = 0;
  virtual void wake() = 0;
};

}   // namespace proxyd::dns
