#include "worker/http/characters.h"
#include "worker/http1/head_parser.h"

namespace proxyd::http1 {
namespace {

using http::Refusal;

constexpr int kMaxEmptyLines = 2;   // before a request line (RFC 9112 2.2)
constexpr size_t kMaxMethod = 32;
constexpr char kTlsHandshake = 0x16;   // the first octet of a ClientHello

}   // namespace

Progress RequestParser::refuse(Refusal refusal, size_t offset) {
  fault_ = {refusal, offset};
  return Progress::kRefused;
}

// "HTTP/" DIGIT "." DIGIT (RFC 9112 2.3). A minor version above ours is spoken to as 1.1.
Refusal RequestParser::take_version(std::string_view text) {
  if (!text.starts_with("HTTP/")) return Refusal::kRequestLine;
  const std::string_view digits = text.substr(5);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.size() != 3 || !digit(digits[0]) || digits[1] != '.' || !digit(digits[2])) return Refusal::kVersion;
  if (digits[0] != '1') return Refusal::kVersionUnsupported;
  head_->version = digits[2] == '0' ? http::Version::kHttp10 : http::Version::kHttp11;
  return Refusal::kNone;
}

// method SP request-target SP HTTP-version, one space each (RFC 9112 3).
Refusal RequestParser::take_request_line(std::string_view line) {
  size_t method_end = 0;
  while (method_end < line.size() && http::is_in(line[method_end], http::character::kToken)) ++method_end;
  if (method_end == 0 || method_end == line.size() || line[method_end] != ' ') return Refusal::kRequestLine;
  const std::string_view method = line.substr(0, method_end);
  if (method.size() > kMaxMethod) return Refusal::kMethodTooLong;
  const std::string_view rest = line.substr(method_end + 1);
  const size_t target_end = rest.find(' ');
  if (target_end == std::string_view::npos) return rest.empty() ? Refusal::kRequestLine : Refusal::kHttp09;
  if (target_end == 0) return Refusal::kRequestLine;
  if (rest.find(' ', target_end + 1) != std::string_view::npos) return Refusal::kRequestLine;
  const Refusal refusal = take_version(rest.substr(target_end + 1));
  if (refusal != Refusal::kNone) return refusal;
  head_->method = http::method_from(method);
  head_->method_text = method;
  target_ = rest.substr(0, target_end);
  return Refusal::kNone;
}

Progress RequestParser::refuse_control(const LineScanner::Line& line) {
  if (line.at == 0 && line.control == kTlsHandshake) return refuse(Refusal::kTlsOnPlain, 0);
  if (line.control == '\r') return refuse(Refusal::kBareCr, line.at);
  if (line.control == '\n') return refuse(Refusal::kRequestLine, line.at);
  return refuse(Refusal::kUriCharacter, line.at);
}

Progress RequestParser::parse_request_line(std::string_view received) {
  for (;;) {
    const size_t start = scanner_.line_start();
    const LineScanner::Line line = scanner_.next(received);
    // a CR at the end begins the line's end, whether LF has come yet or not
    const bool cr_last = line.found == LineScanner::Found::kNothingYet && received.ends_with('\r');
    const size_t unfinished = received.size() - start - (cr_last ? 1 : 0);
    const size_t length = line.found == LineScanner::Found::kLine      ? line.text.size()
                          : line.found == LineScanner::Found::kControl ? line.at - start
                                                                       : unfinished;
    if (length > rules_->max_line) return refuse(Refusal::kUriTooLong, start + rules_->max_line);
    if (line.found == LineScanner::Found::kNothingYet) return Progress::kNeedMore;
    if (line.found == LineScanner::Found::kControl) return refuse_control(line);
    if (line.text.empty()) {
      if (++empty_lines_ > kMaxEmptyLines) return refuse(Refusal::kLeadingCrlf, start);
      continue;
    }
    const Refusal refusal = take_request_line(line.text);
    if (refusal != Refusal::kNone) return refuse(refusal, start);
    has_request_line_ = true;
    head_->size.start = start;
    head_->size.line = line.text.size();
    return Progress::kComplete;
  }
}

Progress RequestParser::parse(std::string_view received) {
  if (!has_request_line_) {
    const Progress progress = parse_request_line(received);
    if (progress != Progress::kComplete) return progress;
  }
  const Progress progress = section_.parse(received, scanner_);
  if (progress == Progress::kRefused) fault_ = section_.fault();
  if (progress == Progress::kComplete) {
    head_->size.section = consumed() - section_.start();
    head_->size.field_lines = section_.lines();
  }
  return progress;
}

void RequestParser::rebase(std::string_view from, const char* to) {
  const auto moved = [&](std::string_view text) {
    return text.empty() ? text : std::string_view(to + (text.data() - from.data()), text.size());
  };
  head_->method_text = moved(head_->method_text);
  target_ = moved(target_);
  head_->fields.rebase(from.data(), from.data() + from.size(), to);
}

}   // namespace proxyd::http1
