#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace proxyd::http1 {

// Finds the ends of lines in a growing buffer and, in the same pass, the first colon of each and the control characters
// that no head may hold (RFC 9112 2.2, RFC 9110 5.5). Looks at each octet once, sixty-four at a time, however the bytes
// arrive. A value.
class LineScanner {
 public:
  static constexpr size_t kNone = SIZE_MAX;
  static constexpr size_t kWindow = 64;   // octets, a bit of a mask each

  enum class Found : uint8_t { kNothingYet, kLine, kControl };

  struct Line {
    Found found = Found::kNothingYet;
    char control = 0;        // for kControl: which one, "\r" and "\n" for bare ones
    std::string_view text;   // for kLine: without CRLF
    size_t colon = kNone;    // for kLine: where its first colon is in `text`
    size_t at = 0;           // for kControl: its offset
  };

  // The next line of `received`, whose beginning stays the same and which only grows from call to call. Inline, for it
  // runs once a field line.
  [[gnu::always_inline]] Line next(std::string_view received);

  // Where the next line begins: what lies before has been given out.
  size_t line_start() const { return line_start_; }

 private:
  bool look(std::string_view received);
  void note_colon(uint64_t colons) {
    if (colon_ == kNone && colons != 0) colon_ = window_ + static_cast<size_t>(std::countr_zero(colons));
  }

  size_t line_start_ = 0;
  size_t window_ = 0;   // the octets from here to `looked_` are described by the masks, a bit each
  size_t looked_ = 0;
  uint64_t controls_ = 0;   // those not given out yet
  uint64_t colons_ = 0;
  size_t colon_ = kNone;   // the first of the line begun
};

inline LineScanner::Line LineScanner::next(std::string_view received) {
  if (controls_ == 0 && !look(received)) return {};
  const auto bit = static_cast<size_t>(std::countr_zero(controls_));
  const size_t at = window_ + bit;
  const char control = received.data()[at];
  if (control == '\r' && at + 1 == received.size()) return {};
  if (control != '\r' || received.data()[at + 1] != '\n')
    return {.found = Found::kControl, .control = control, .at = at};
  note_colon(colons_ & ((uint64_t{1} << bit) - 1));
  const size_t colon = colon_ == kNone ? kNone : colon_ - line_start_;
  const Line line{.found = Found::kLine, .text = {received.data() + line_start_, at - line_start_}, .colon = colon};
  line_start_ = at + 2;
  colon_ = kNone;
  const uint64_t ahead = bit + 2 < kWindow ? ~uint64_t{0} << (bit + 2) : 0;
  controls_ &= ahead;
  colons_ &= ahead;
  return line;
}

}   // namespace proxyd::http1
