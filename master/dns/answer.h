#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shared/base/result.h"

namespace proxyd::dns {

enum class RecordType : uint16_t { kA = 1, kCname = 5, kAaaa = 28, kSrv = 33 };

struct SrvRecord {
  uint16_t priority = 0;
  uint16_t weight = 0;
  uint16_t port = 0;
  std::string host;
};

// What an answer says of the type that was asked for. A value.
struct Answer {
  std::vector<std::string> addresses;   // of A and AAAA, as text
  std::vector<SrvRecord> services;
  std::chrono::seconds ttl{0};   // the least of all records on the way, aliases too
};

// Reads a DNS message (RFC 1035 4.1) that answers a question for `type`. At most 256 records count. Fails for what is
// no such message. No I/O.
Result<Answer> read_answer(std::span<const uint8_t> message, RecordType type);

}   // namespace proxyd::dns
