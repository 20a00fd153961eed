#include "worker/http2/field_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "shared/base/bytes.h"
#include "worker/http/characters.h"
#include "worker/http/list.h"
#include "worker/http2/field_text.h"
#include "worker/http2/outgoing_field.h"

namespace proxyd::http2 {
namespace {

using http::FieldName;

constexpr uint64_t kSecrets =
    http::bit_of(FieldName::kAuthorization) | http::bit_of(FieldName::kCookie) | http::bit_of(FieldName::kSetCookie);

// How a field's representation begins: its first octets when its name is in the static table (RFC 7541 A), all of which
// are above 15, and one octet when it is not. What is secret must never be indexed by others (7.1.3).
struct Beginning {
  char first = 0;
  char index = 0;   // 0: the name follows
};
static_assert(sizeof(Beginning) == 2);

constexpr Beginning beginning_of(FieldName name, int index) {
  const bool secret = (http::bit_of(name) & kSecrets) != 0;
  if (index == 0) return {static_cast<char>(secret ? 0x10 : 0), 0};
  return {static_cast<char>(secret ? 0x1F : 0x0F), static_cast<char>(index - 15)};
}

constexpr std::array<Beginning, http::kFieldNameCount> make_beginnings() {
  struct Known {
    FieldName name;
    int index;
  };
  constexpr Known kStatic[] = {
      {FieldName::kAccept, 19},
      {FieldName::kAcceptEncoding, 16},
      {FieldName::kAcceptRanges, 18},
      {FieldName::kAge, 21},
      {FieldName::kAuthorization, 23},
      {FieldName::kCacheControl, 24},
      {FieldName::kContentEncoding, 26},
      {FieldName::kContentLength, 28},
      {FieldName::kContentRange, 30},
      {FieldName::kContentType, 31},
      {FieldName::kCookie, 32},
      {FieldName::kDate, 33},
      {FieldName::kEtag, 34},
      {FieldName::kExpect, 35},
      {FieldName::kExpires, 36},
      {FieldName::kHost, 38},
      {FieldName::kIfMatch, 39},
      {FieldName::kIfModifiedSince, 40},
      {FieldName::kIfNoneMatch, 41},
      {FieldName::kIfRange, 42},
      {FieldName::kIfUnmodifiedSince, 43},
      {FieldName::kLastModified, 44},
      {FieldName::kLocation, 46},
      {FieldName::kMaxForwards, 47},
      {FieldName::kProxyAuthenticate, 48},
      {FieldName::kProxyAuthorization, 49},
      {FieldName::kRange, 50},
      {FieldName::kReferer, 51},
      {FieldName::kRetryAfter, 53},
      {FieldName::kServer, 54},
      {FieldName::kSetCookie, 55},
      {FieldName::kUserAgent, 58},
      {FieldName::kVary, 59},
      {FieldName::kVia, 60},
  };
  std::array<Beginning, http::kFieldNameCount> all{};
  for (size_t i = 0; i < all.size(); ++i) all[i] = beginning_of(static_cast<FieldName>(i), 0);
  for (const Known& known : kStatic) all[static_cast<size_t>(known.name)] = beginning_of(known.name, known.index);
  return all;
}

constexpr std::array<Beginning, http::kFieldNameCount> kBeginnings = make_beginnings();

// The length of a string that is not Huffman-coded (RFC 7541 5.1, 5.2).
char* put_length(char* to, size_t length) {
  if (length < 127) {
    *to++ = static_cast<char>(length);
    return to;
  }
  *to++ = 127;
  for (length -= 127; length >= 128; length >>= 7) *to++ = static_cast<char>((length & 0x7F) | 0x80);
  *to++ = static_cast<char>(length);
  return to;
}

bool is_token(std::string_view name) {
  uint8_t all = http::character::kToken;
  for (const char c : name) all &= http::classes_of(c);
  return all != 0 && !name.empty();
}

char* put_name(char* to, FieldName known, std::string_view name) {
  to = put_length(to, name.size());
  if (known != FieldName::kOther) return put_octets(to, http::to_lower_string(known));
  return std::transform(name.begin(), name.end(), to, ascii_lower);
}

// The first colon of a line, or its end; `end`: of what may be read.
inline const char* colon_of(const char* line, const char* line_end, const char* end) {
#if defined(__SSE2__)
  if (end - line >= 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(line));
    const auto colons = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(':'))));
    if (colons != 0) return std::min(line + std::countr_zero(colons), line_end);
  }
#endif
  return std::find(line, std::min(line_end, end), ':');
}

std::string_view trimmed(const char* begin, const char* line_end) {
  if (line_end != begin && line_end[-1] == '\r') --line_end;
  return http::trim({begin, static_cast<size_t>(line_end - begin)});
}

// Names whose values, or themselves, have to be looked at.
constexpr uint64_t kLookedAt = http::bit_of(FieldName::kTe) | http::bit_of(FieldName::kOther);

}   // namespace

[[gnu::always_inline]] inline void FieldEncoder::put(FieldName known, std::string_view name, std::string_view value) {
  const Beginning beginning = kBeginnings[static_cast<size_t>(known)];
  char* at = at_;
  std::memcpy(at, &beginning, sizeof beginning);
  at = beginning.index != 0 ? at + 2 : put_name(at + 1, known, name);
  at = put_length(at, value.size());
  at_ = put_octets(at, value);
}

inline void FieldEncoder::add(FieldName known, std::string_view name, std::string_view value) {
  const uint64_t bit = http::bit_of(known);
  if ((bit & (kOfConnections | unwanted_ | kLookedAt)) != 0) [[unlikely]] {
    if ((bit & (kOfConnections | unwanted_)) != 0) return;
    if (known == FieldName::kTe && !equals_ignoring_case(value, "trailers")) return;
    if (known == FieldName::kOther && !is_token(name)) return;
  }
  put(known, name, value);
}

void FieldEncoder::add_length(uint64_t bytes) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, bytes);
  put(FieldName::kContentLength, {}, {digits, static_cast<size_t>(end - digits)});
}

void FieldEncoder::add(const http::Fields& fields) {
  for (const http::Field& field : fields) {
    if (is_field_text(field.value)) add(field.known, field.name, http::trim(field.value));
  }
}

// Values that are as nearly everyone writes them need no trimming.
void FieldEncoder::add_lines(std::string_view lines) {
  const char* at = lines.data();
  const char* const end = at + lines.size();
  while (at != end) {
    const auto* line_end = static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    if (!line_end) return;   // no line
    const char* const colon = colon_of(at, line_end, end);
    if (colon != line_end) {
      const std::string_view name(at, static_cast<size_t>(colon - at));
      const bool usual = line_end - colon > 3 && colon[1] == ' ' && colon[2] > ' ' && line_end[-1] == '\r' &&
                         static_cast<uint8_t>(line_end[-2]) > ' ';
      const std::string_view value =
          usual ? std::string_view(colon + 2, static_cast<size_t>(line_end - colon - 3)) : trimmed(colon + 1, line_end);
      add(http::field_name_from(name), name, value);
    }
    at = line_end + 1;
  }
}

}   // namespace proxyd::http2
