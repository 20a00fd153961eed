#include "worker/http1/line_scanner.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace proxyd::http1 {
namespace {

constexpr bool is_control(char c) {
  const auto octet = static_cast<uint8_t>(c);
  return (octet < 0x20 && c != '\t') || octet == 0x7F;
}

// Offset of the first control character at or after `at`, or the size.
size_t find_control(std::string_view text, size_t at) {
#if defined(__SSE2__)
  const __m128i last_control = _mm_set1_epi8(0x1F);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7F);
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(octets, last_control), octets);
    const __m128i found = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(octets, tab), low), _mm_cmpeq_epi8(octets, del));
    const int mask = _mm_movemask_epi8(found);
    if (mask != 0) return at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  while (at < text.size() && !is_control(text[at])) ++at;
  return at;
}

}  // namespace

LineScanner::Line LineScanner::next(std::string_view received) {
  const size_t at = find_control(received, scanned_);
  scanned_ = at;
  if (at == received.size()) return {};
  const char control = received[at];
  if (control == '\r') {
    if (at + 1 == received.size()) return {};
    if (received[at + 1] == '\n') {
      const std::string_view text = received.substr(line_start_, at - line_start_);
      line_start_ = scanned_ = at + 2;
      return {.found = Found::kLine, .text = text};
    }
  }
  return {.found = Found::kControl, .control = control, .at = at};
}

}  // namespace proxyd::http1
