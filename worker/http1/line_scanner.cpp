#include "worker/http1/line_scanner.h"

#include <array>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace proxyd::http1 {

#if defined(__SSE2__)
uint64_t LineScanner::look_at(const char* window) {
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i largest_control = _mm_set1_epi8(0x1F);
  const __m128i del = _mm_set1_epi8(0x7F);
  uint64_t controls = 0;
  for (unsigned at = 0; at < kWindow; at += 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(window + at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(octets, largest_control), octets);
    const __m128i control =
        _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(octets, tab), low), _mm_cmpeq_epi8(octets, del));
    controls |= uint64_t{static_cast<unsigned>(_mm_movemask_epi8(control))} << at;
  }
  return controls;
}
#else
uint64_t LineScanner::look_at(const char* window) {
  uint64_t controls = 0;
  for (unsigned at = 0; at < kWindow; ++at) {
    const auto octet = static_cast<uint8_t>(window[at]);
    const bool control = (octet < 0x20 && octet != '\t') || octet == 0x7F;
    controls |= uint64_t{control} << at;
  }
  return controls;
}
#endif

// The last `size` octets, fewer than a window: as the end of a whole window where so much has been received.
uint64_t LineScanner::look_at_last(std::string_view received, size_t size) {
  if (received.size() >= kWindow) return look_at(received.data() + received.size() - kWindow) >> (kWindow - size);
  std::array<char, kWindow> copy;
  copy.fill(' ');
  std::memcpy(copy.data(), received.data() + received.size() - size, size);
  return look_at(copy.data());
}

}   // namespace proxyd::http1
