#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace proxyd::http1 {

// Finds the ends of lines in a growing buffer and, in the same pass, the control characters that no head may hold
// (RFC 9112 2.2, RFC 9110 5.5). Looks at each octet once, sixty-four at a time, however the bytes arrive. A value;
// inline, for it runs once a field line and its state belongs into registers.
class LineScanner {
 public:
  static constexpr size_t kWindow = 64;   // octets, a bit of a mask each

  enum class Found : uint8_t { kNothingYet, kLine, kControl };

  struct Line {
    Found found = Found::kNothingYet;
    char control = 0;        // for kControl: which one, "\r" and "\n" for bare ones
    std::string_view text;   // for kLine: without CRLF
    size_t at = 0;           // for kControl: its offset
  };

  // The next line of `received`, whose beginning stays the same and which only grows from call to call.
  [[gnu::always_inline]] Line next(std::string_view received);

  // Where the next line begins: what lies before has been given out.
  size_t line_start() const { return line_start_; }

 private:
  // The control characters of a window but for tabs, a bit an octet.
  static uint64_t look_at(const char* window);
  static uint64_t look_at_last(std::string_view received, size_t size);
  [[gnu::always_inline]] bool look(std::string_view received);

  size_t line_start_ = 0;
  size_t window_ = 0;   // the octets from here to `looked_` are described by the mask, a bit each
  size_t looked_ = 0;
  uint64_t controls_ = 0;   // those not given out yet
};

// Describes the next octets, up to the first window with a control character in it; false when there is none yet.
inline bool LineScanner::look(std::string_view received) {
  while (controls_ == 0) {
    window_ = std::max(looked_, line_start_);
    const size_t size = received.size() - window_;
    if (size == 0) return false;
    controls_ = size >= kWindow ? look_at(received.data() + window_) : look_at_last(received, size);
    looked_ = window_ + std::min(size, kWindow);
  }
  return true;
}

inline LineScanner::Line LineScanner::next(std::string_view received) {
  if (controls_ == 0 && !look(received)) return {};
  const auto bit = static_cast<size_t>(std::countr_zero(controls_));
  const size_t at = window_ + bit;
  const char* const found = received.data() + at;
  if (*found == '\r' && at + 1 == received.size()) return {};
  if (*found != '\r' || found[1] != '\n') return {.found = Found::kControl, .control = *found, .at = at};
  const Line line{.found = Found::kLine, .text = {received.data() + line_start_, at - line_start_}};
  line_start_ = at + 2;
  controls_ &= ~uint64_t{1} << bit << 1;   // behind the line's end; none when it is the window's
  return line;
}

}   // namespace proxyd::http1
