#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "worker/http/refusal.h"

namespace proxyd::http1 {

// Finds the ends of lines in a growing buffer and, in the same pass, the control characters that no head may hold
// (RFC 9112 2.2, RFC 9110 5.5). Looks at each octet once, sixteen at a time, however the bytes arrive. A value.
class LineScanner {
 public:
  enum class Found : uint8_t { kNothingYet, kLine, kControl };

  struct Line {
    Found found = Found::kNothingYet;
    std::string_view text;   // for kLine: without CRLF
    char control = 0;        // for kControl: which one, "\r" and "\n" for bare ones
    size_t at = 0;           // offset of the control character
  };

  // The next line of `received`, whose beginning stays the same and which only grows from call to call.
  Line next(std::string_view received);

  // Where the next line begins: what lies before has been given out.
  size_t line_start() const { return line_start_; }
  // Octets of the line begun so far.
  size_t partial(std::string_view received) const { return received.size() - line_start_; }

 private:
  size_t line_start_ = 0;
  size_t scanned_ = 0;
};

}  // namespace proxyd::http1
