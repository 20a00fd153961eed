#include <algorithm>

#include "worker/http/characters.h"
#include "worker/http/list.h"
#include "worker/http1/head_parser.h"

namespace proxyd::http1 {
namespace {

using http::FieldName;
using http::Refusal;

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

// "name: value" (RFC 9112 5), strictly: a token, no space before the colon, no folding. A name that we know is one.
Progress FieldSection::take(const LineScanner::Line& line, size_t offset) {
  const std::string_view text = line.text;
  if (text.front() == ' ' || text.front() == '\t') return refuse(Refusal::kObsFold, offset);
  if (++lines_ > rules_->max_fields) return refuse(Refusal::kHeaderCount, offset);
  if (line.colon == LineScanner::kNone) return refuse(Refusal::kNoColon, offset);
  const std::string_view name = text.substr(0, line.colon);
  const FieldName known = http::field_name_from(name);
  if (known == FieldName::kOther) {
    if (!is_token(name)) return refuse(name_fault(name), offset);
    const bool underscore = rules_->underscore != Underscore::kPass && name.find('_') != std::string_view::npos;
    if (underscore && rules_->underscore == Underscore::kReject) return refuse(Refusal::kUnderscoreName, offset);
    if (underscore) return Progress::kNeedMore;
  }
  fields_->add({name, http::trim(text.substr(line.colon + 1)), known});
  return Progress::kNeedMore;
}

// A line that has not ended yet is bounded by the section, so that no buffer grows beyond it.
Progress FieldSection::check_partial(std::string_view received) {
  const bool too_large = received.size() - started_at_ > rules_->max_section;
  return too_large ? refuse(Refusal::kHeaderSize, started_at_ + rules_->max_section) : Progress::kNeedMore;
}

Progress FieldSection::parse(std::string_view received, LineScanner& scanner) {
  if (started_at_ == SIZE_MAX) started_at_ = scanner.line_start();
  for (;;) {
    const size_t start = scanner.line_start();
    const LineScanner::Line line = scanner.next(received);
    if (line.found == LineScanner::Found::kNothingYet) return check_partial(received);
    if (line.found == LineScanner::Found::kControl) {
      if (line.at - started_at_ >= rules_->max_section)
        return refuse(Refusal::kHeaderSize, started_at_ + rules_->max_section);
      return refuse(control_fault(received.substr(start, line.at - start), line.control), line.at);
    }
    if (scanner.line_start() - started_at_ > rules_->max_section) {
      return refuse(Refusal::kHeaderSize, started_at_ + rules_->max_section);
    }
    if (line.text.empty()) return Progress::kComplete;
    const Progress progress = take(line, start);
    if (progress == Progress::kRefused) return progress;
  }
}

}   // namespace proxyd::http1
