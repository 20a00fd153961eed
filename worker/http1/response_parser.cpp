#include "shared/base/bytes.h"
#include "worker/http1/head_parser.h"

namespace proxyd::http1 {

using http::Refusal;

Progress ResponseParser::refuse(Refusal refusal, size_t offset) {
  fault_ = {refusal, offset};
  return Progress::kRefused;
}

// HTTP-version SP 3DIGIT SP [reason] (RFC 9112 4). A missing space before an empty reason is what many servers send.
bool ResponseParser::take_status_line(std::string_view line) {
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || !is_digit(line[7]) || line[8] != ' ') return false;
  if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) return false;
  if (line.size() > 12 && line[12] != ' ') return false;
  head_->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  head_->version = line[7] == '0' ? http::Version::kHttp10 : http::Version::kHttp11;
  head_->reason = line.size() > 13 ? line.substr(13) : std::string_view();
  return head_->status >= 100;
}

Progress ResponseParser::parse(std::string_view received) {
  if (!has_status_line_) {
    const LineScanner::Line line = scanner_.next(received);
    const bool ended = line.found == LineScanner::Found::kLine;
    const size_t length = ended ? line.text.size() : received.size();
    if (length > rules_->max_line) return refuse(Refusal::kHeaderSize, rules_->max_line);
    if (line.found == LineScanner::Found::kNothingYet) return Progress::kNeedMore;
    if (!ended || !take_status_line(line.text)) return refuse(Refusal::kStatusLine, ended ? 0 : line.at);
    has_status_line_ = true;
  }
  const Progress progress = section_.parse(received, scanner_);
  if (progress == Progress::kRefused) fault_ = section_.fault();
  return progress;
}

void ResponseParser::rebase(std::string_view from, const char* to) {
  if (!head_->reason.empty()) head_->reason = {to + (head_->reason.data() - from.data()), head_->reason.size()};
  head_->fields.rebase(from.data(), from.data() + from.size(), to);
}

}   // namespace proxyd::http1
