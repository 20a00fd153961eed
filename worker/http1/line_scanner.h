#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace proxyd::http1 {

// Finds the ends of lines in a growing buffer and, in the same pass, the control characters that no head may hold
// (RFC 9112 2.2, RFC 9110 5.5). Looks at each octet once, thirty-two at a time, however the bytes arrive. A value;
// inline, for it runs once a field line and its state belongs into registers.
class LineScanner {
 public:
  enum class Found : uint8_t { kNothingYet, kLine, kControl };

  struct Line {
    Found found = Found::kNothingYet;
    char control = 0;        // for kControl: which one, "\r" and "\n" for bare ones
    uint32_t colons = 0;     // of the line's first octets, a bit each; none when they were not looked at together
    std::string_view text;   // for kLine: without CRLF
    size_t at = 0;           // for kControl: its offset
  };

  // The next line of `received`, whose beginning stays the same and which only grows from call to call.
  [[gnu::always_inline]] Line next(std::string_view received);

  // Where the next line begins: what lies before has been given out.
  size_t line_start() const { return line_start_; }

 private:
  static constexpr size_t kWindow = 32;   // octets, a bit of a mask each
  static constexpr size_t kNowhere = SIZE_MAX;

  static bool is_control(char c);
  // What a window holds, a bit an octet: neither visible ASCII nor a space; control characters but for tabs, exactly.
  static uint32_t unusual_in(const char* window);
  static uint32_t controls_in(const char* window);
  static uint32_t colons_of(std::string_view received, size_t from);
  static size_t find_control_in_last(std::string_view received, size_t from);
  static size_t find_control(std::string_view received, size_t from);
  Line without_line_end(std::string_view received, size_t at);

  size_t line_start_ = 0;
  size_t looked_ = 0;   // no control character but tabs from the line's start to here
};

inline bool LineScanner::is_control(char c) {
  const auto octet = static_cast<uint8_t>(c);
  return octet == '\r' || (octet < 0x20 && octet != '\t') || octet == 0x7F;
}

#if defined(__SSE2__)
inline uint32_t LineScanner::unusual_in(const char* window) {
  const auto half = [](const char* from) {   // by one signed comparison: one more than DEL is the smallest number
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const __m128i one_more = _mm_add_epi8(octets, _mm_set1_epi8(1));
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpgt_epi8(_mm_set1_epi8(0x21), one_more)));
  };
  return half(window) | half(window + 16) << 16;
}

inline uint32_t LineScanner::controls_in(const char* window) {
  const auto half = [](const char* from) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(octets, _mm_set1_epi8(0x1F)), octets);
    const __m128i tabs = _mm_cmpeq_epi8(octets, _mm_set1_epi8('\t'));
    const __m128i deletes = _mm_cmpeq_epi8(octets, _mm_set1_epi8(0x7F));
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tabs, low), deletes)));
  };
  return half(window) | half(window + 16) << 16;
}

inline uint32_t LineScanner::colons_of(std::string_view received, size_t from) {
  if (received.size() - from < 16) return 0;
  const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(received.data() + from));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(':'))));
}
#else
inline uint32_t LineScanner::unusual_in(const char* window) { return controls_in(window); }

inline uint32_t LineScanner::controls_in(const char* window) {
  uint32_t controls = 0;
  for (unsigned at = 0; at < kWindow; ++at) controls |= uint32_t{is_control(window[at])} << at;
  return controls;
}

inline uint32_t LineScanner::colons_of(std::string_view, size_t) { return 0; }
#endif

// In the last octets, fewer than a window: seen as the end of a whole one where so much has been received.
inline size_t LineScanner::find_control_in_last(std::string_view received, size_t from) {
  const size_t size = received.size() - from;
  if (size == 0) return kNowhere;
  const char* const end = received.data() + received.size();
  uint32_t controls = 0;
  if (received.size() >= kWindow) {
    controls = controls_in(end - kWindow) >> (kWindow - size);
  } else {
    std::array<char, kWindow> copy;
    copy.fill(' ');
    std::memcpy(copy.data(), end - size, size);
    controls = controls_in(copy.data());
  }
  return controls == 0 ? kNowhere : from + static_cast<size_t>(std::countr_zero(controls));
}

// The first unusual octet is nearly always the CR of a line's end. Where it is a tab or obs-text, the exact look keeps
// a head of nothing else as cheap as any.
inline size_t LineScanner::find_control(std::string_view received, size_t from) {
  for (; received.size() - from >= kWindow; from += kWindow) {
    const char* const window = received.data() + from;
    const uint32_t unusual = unusual_in(window);
    if (unusual == 0) continue;
    const auto first = static_cast<size_t>(std::countr_zero(unusual));
    if (is_control(window[first])) return from + first;
    const uint32_t controls = controls_in(window);
    if (controls != 0) return from + static_cast<size_t>(std::countr_zero(controls));
  }
  return find_control_in_last(received, from);
}

// There is a control character that ends no line, or none, or a CR that may still be followed by LF.
inline LineScanner::Line LineScanner::without_line_end(std::string_view received, size_t at) {
  looked_ = std::min(at, received.size());
  const bool undecided = looked_ == received.size() || (received[at] == '\r' && at + 1 == received.size());
  if (undecided) return {};
  return {.found = Found::kControl, .control = received[at], .at = at};
}

inline LineScanner::Line LineScanner::next(std::string_view received) {
  const uint32_t colons = colons_of(received, line_start_);
  const size_t at = find_control(received, looked_);
  const bool ends = at < received.size() - 1 && received.data()[at] == '\r' && received.data()[at + 1] == '\n';
  if (!ends) [[unlikely]]
    return without_line_end(received, at);
  const std::string_view text(received.data() + line_start_, at - line_start_);
  line_start_ = looked_ = at + 2;
  return {.found = Found::kLine, .colons = colons, .text = text};
}

}   // namespace proxyd::http1
