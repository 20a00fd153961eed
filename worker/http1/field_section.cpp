#include <algorithm>
#include <bit>

#include "worker/http/characters.h"
#include "worker/http/list.h"
#include "worker/http1/head_parser.h"

namespace proxyd::http1 {
namespace {

using http::FieldName;
using http::Refusal;

bool is_token(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return http::is_in(c, http::character::kToken); });
}

// What is wrong with a name that is not a token. One that begins with white space folds the line before (RFC 9112 5.2).
Refusal name_fault(std::string_view name) {
  if (name.empty()) return Refusal::kFieldNameEmpty;
  if (http::is_space(name.front())) return Refusal::kObsFold;
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
  if (name.empty() || !is_token(name)) return refuse(name_fault(name), offset);
  if (rules_->underscore == Underscore::kPass || name.find('_') == std::string_view::npos) return Progress::kComplete;
  return rules_->underscore == Underscore::kDrop ? Progress::kNeedMore : refuse(Refusal::kUnderscoreName, offset);
}

// "name: value" (RFC 9112 5), strictly: a token, no space before the colon, no folding. A name that we know is one.
inline Progress FieldSection::take(const LineScanner::Line& line, std::string_view received) {
  const char* const text = line.text.data();
  const char* const end = text + line.text.size();
  const auto offset = [&] { return static_cast<size_t>(text - received.data()); };
  if (lines_left_ == 0) return refuse(Refusal::kHeaderCount, offset());
  --lines_left_;
  const size_t colon_at = line.colons != 0 ? std::countr_zero(line.colons) : line.text.find(':');
  if (colon_at >= line.text.size())
    return refuse(http::is_space(*text) ? Refusal::kObsFold : Refusal::kNoColon, offset());
  const char* const colon = text + colon_at;
  const std::string_view name(text, colon_at);
  const FieldName known = http::field_name_from(name);
  if (known == FieldName::kOther) {
    const Progress checked = check_name(name, offset());
    if (checked != Progress::kComplete) return checked;
  }
  // Nearly everyone writes one space before the value and none behind it, and such a line may leave as it came. No
  // control character but a tab is among the octets; behind them are CR and LF.
  const auto is_visible = [](char c) { return static_cast<uint8_t>(c) > ' '; };
  const bool usual = colon[1] == ' ' && is_visible(colon[2]) && is_visible(end[-1]);
  const std::string_view value =
      usual ? std::string_view(colon + 2, end) : http::trim({colon + 1, static_cast<size_t>(end - colon - 1)});
  fields_->add({name, value, known, usual});
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
  return refuse(control_fault(received.substr(start, line.at - start), line.control), line.at);
}

Progress FieldSection::parse(std::string_view received, LineScanner& scanner) {
  if (started_at_ == SIZE_MAX) started_at_ = scanner.line_start();
  const size_t section = std::min(rules_->max_section, received.size() - started_at_);
  const std::string_view allowed = received.substr(0, started_at_ + section);
  LineScanner lines = scanner;   // a copy that nobody else sees can lie in registers
  LineScanner::Line line = lines.next(allowed);
  Progress progress = Progress::kNeedMore;
  while (line.found == LineScanner::Found::kLine) {
    progress = line.text.empty() ? Progress::kComplete : take(line, received);
    if (progress != Progress::kNeedMore) break;
    line = lines.next(allowed);
  }
  scanner = lines;
  return line.found == LineScanner::Found::kLine ? progress : take_rest(line, received, lines.line_start());
}

}   // namespace proxyd::http1
