#include <algorithm>
#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "worker/http/characters.h"
#include "worker/http/list.h"
#include "worker/http1/head_parser.h"

namespace proxyd::http1 {
namespace {

using http::FieldName;
using http::Refusal;

// Where the colon is, or the line's size when there is none. Sixteen octets are looked at together where so many are
// readable from the line's first on: that is most names, and costs less than a call.
inline size_t colon_of(std::string_view line, [[maybe_unused]] size_t readable) {
#if defined(__SSE2__)
  if (readable >= 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(line.data()));
    const int colons = _mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(':')));
    if (colons != 0)
      return std::min<size_t>(static_cast<size_t>(std::countr_zero(static_cast<unsigned>(colons))), line.size());
  }
#endif
  return std::min(line.find(':'), line.size());
}

bool is_token(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return http::is_in(c, http::character::kToken); });
}

// What is wrong with a name that is not a token.
Refusal name_fault(std::string_view name) {
  if (name.empty()) return Refusal::kFieldNameEmpty;
  const char last = name.back();
  const bool space_at_end = last == ' ' || last == '\t';
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  return space_at_end && is_token(name) ? Refusal::kSpaceBeforeColon : Refusal::kFieldName;
}

// A control character within a line: the name of the field says what it breaks (RFC 9110 5.5).
Refusal control_fault(std::string_view line_so_far, char control) {
  if (control == '\r') return Refusal::kBareCr;
  if (control == '\n') return Refusal::kBareLf;
  const size_t colon = line_so_far.find(':');
  if (colon == std::string_view::npos) return Refusal::kFieldName;
  const bool framing = http::field_name_from(line_so_far.substr(0, colon)) == FieldName::kTransferEncoding;
  return framing ? Refusal::kTeInvalid : Refusal::kFieldValue;
}

}   // namespace

Progress FieldSection::refuse(Refusal refusal, size_t offset) {
  fault_ = {refusal, offset};
  return Progress::kRefused;
}

// A name that we don't know: a token, and without an underscore where those are not passed on.
Progress FieldSection::check_name(std::string_view name, size_t offset) {
  if (!is_token(name)) return refuse(name_fault(name), offset);
  if (rules_->underscore == Underscore::kPass || name.find('_') == std::string_view::npos) return Progress::kComplete;
  return rules_->underscore == Underscore::kDrop ? Progress::kNeedMore : refuse(Refusal::kUnderscoreName, offset);
}

// "name: value" (RFC 9112 5), strictly: a token, no space before the colon, no folding. A name that we know is one.
inline Progress FieldSection::take(std::string_view line, size_t offset, size_t readable) {
  const char* const text = line.data();
  if (http::is_space(*text)) return refuse(Refusal::kObsFold, offset);
  if (++lines_ > rules_->max_fields) return refuse(Refusal::kHeaderCount, offset);
  const size_t colon = colon_of(line, readable);
  if (colon == line.size()) return refuse(Refusal::kNoColon, offset);
  const std::string_view name(text, colon);
  const FieldName known = http::field_name_from(name);
  if (known == FieldName::kOther) {
    const Progress checked = check_name(name, offset);
    if (checked != Progress::kComplete) return checked;
  }
  fields_->add({name, http::trim({text + colon + 1, line.size() - colon - 1}), known});
  return Progress::kNeedMore;
}

// A line that has not ended yet is bounded by the section, so that no buffer grows beyond it.
Progress FieldSection::check_partial(std::string_view received) {
  const bool too_large = received.size() - started_at_ > rules_->max_section;
  return too_large ? refuse(Refusal::kHeaderSize, started_at_ + rules_->max_section) : Progress::kNeedMore;
}

// There is no line, but perhaps the reason why there never will be.
Progress FieldSection::take_rest(const LineScanner::Line& line, std::string_view received, size_t start) {
  if (line.found == LineScanner::Found::kNothingYet) return check_partial(received);
  const size_t limit = started_at_ + rules_->max_section;
  if (line.at >= limit) return refuse(Refusal::kHeaderSize, limit);
  return refuse(control_fault(received.substr(start, line.at - start), line.control), line.at);
}

Progress FieldSection::parse(std::string_view received, LineScanner& scanner) {
  if (started_at_ == SIZE_MAX) started_at_ = scanner.line_start();
  LineScanner lines = scanner;   // a copy that nobody else sees can lie in registers
  LineScanner::Line line;
  Progress progress = Progress::kNeedMore;
  do {
    const size_t start = lines.line_start();
    line = lines.next(received);
    if (line.found != LineScanner::Found::kLine) {
      progress = take_rest(line, received, start);
    } else if (lines.line_start() - started_at_ > rules_->max_section) {
      progress = refuse(Refusal::kHeaderSize, started_at_ + rules_->max_section);
    } else {
      progress = line.text.empty() ? Progress::kComplete : take(line.text, start, received.size() - start);
    }
  } while (line.found == LineScanner::Found::kLine && progress == Progress::kNeedMore);
  scanner = lines;
  return progress;
}

}   // namespace proxyd::http1
