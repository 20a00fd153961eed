#pragma once

#include <cstdint>
#include <string_view>

#include "worker/http/field_name.h"
#include "worker/http/refusal.h"

namespace proxyd::http2 {

// The fields that begin with a colon (RFC 9113 8.3, RFC 8441), a bit each.
enum class Pseudo : uint8_t {
  kNone = 0,
  kMethod = 1,
  kScheme = 2,
  kAuthority = 4,
  kPath = 8,
  kProtocol = 16,
  kStatus = 32
};

// What can be said of a field whatever message it is in (RFC 9113 8.2): said once when it enters the table of HPACK,
// and not for each message that names it there.
struct FieldClass {
  http::FieldName known = http::FieldName::kOther;
  Pseudo pseudo = Pseudo::kNone;
  bool is_pseudo = false;   // perhaps of a name that nobody knows
  bool has_underscore = false;
  http::Refusal refusal = http::Refusal::kNone;   // of whatever message has it
};

struct CheckedField {
  std::string_view name;
  std::string_view value;
  FieldClass is;
  bool lasts = false;   // the texts are there for ever
};

// Names in lower case and tokens, values without control characters and spaces around them, nothing that belongs to a
// connection.
FieldClass classify(std::string_view name, std::string_view value);

}   // namespace proxyd::http2
