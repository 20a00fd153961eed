#include "worker/http1/line_scanner.h"

#include <algorithm>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace proxyd::http1 {
namespace {

struct Masks {
  uint64_t controls = 0;
  uint64_t colons = 0;
};

Masks look_at_octet(char c) {
  const auto octet = static_cast<uint8_t>(c);
  return {(octet < 0x20 && c != '\t') || octet == 0x7F ? 1u : 0u, c == ':' ? 1u : 0u};
}

#if defined(__SSE2__)
constexpr size_t kBlock = 16;

Masks look_at_block(const char* block) {
  const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(octets, _mm_set1_epi8(0x1F)), octets);
  const __m128i tab = _mm_cmpeq_epi8(octets, _mm_set1_epi8('\t'));
  const __m128i del = _mm_cmpeq_epi8(octets, _mm_set1_epi8(0x7F));
  const __m128i control = _mm_or_si128(_mm_andnot_si128(tab, low), del);
  const __m128i colon = _mm_cmpeq_epi8(octets, _mm_set1_epi8(':'));
  return {static_cast<unsigned>(_mm_movemask_epi8(control)), static_cast<unsigned>(_mm_movemask_epi8(colon))};
}
#endif

Masks look_at(std::string_view text, size_t begin, size_t size) {
  Masks all;
  const auto add = [&all](Masks masks, size_t at) {
    all.controls |= masks.controls << at;
    all.colons |= masks.colons << at;
  };
  const char* window = text.data() + begin;
  size_t at = 0;
#if defined(__SSE2__)
  for (; at + kBlock <= size; at += kBlock) add(look_at_block(window + at), at);
  if (at < size && begin + size >= kBlock) {   // the rest, as the end of a block that overlaps what is done
    const size_t before = kBlock - (size - at);
    const Masks masks = look_at_block(window + size - kBlock);
    add({masks.controls >> before, masks.colons >> before}, at);
    return all;
  }
#endif
  for (; at < size; ++at) add(look_at_octet(window[at]), at);
  return all;
}

}   // namespace

// Describes the next octets, up to the first window with a control character in it; false when there is none yet.
bool LineScanner::look(std::string_view received) {
  while (controls_ == 0) {
    note_colon(colons_);
    window_ = std::max(looked_, line_start_);
    if (window_ == received.size()) {
      colons_ = 0;
      return false;
    }
    const size_t size = std::min(received.size() - window_, kWindow);
    const Masks masks = look_at(received, window_, size);
    controls_ = masks.controls;
    colons_ = masks.colons;
    looked_ = window_ + size;
  }
  return true;
}

}   // namespace proxyd::http1
