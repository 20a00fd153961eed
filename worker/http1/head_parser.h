#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "worker/http/fields.h"
#include "worker/http/head.h"
#include "worker/http/refusal.h"
#include "worker/http/underscore.h"
#include "worker/http1/line_scanner.h"

namespace proxyd::http1 {

using http::Underscore;

// Bounds of a head, in octets and lines; the section's size counts its line ends.
struct HeadRules {
  size_t max_line = 8 * 1024;
  size_t max_section = 32 * 1024;
  size_t max_fields = 100;
  Underscore underscore = Underscore::kReject;
};

enum class Progress : uint8_t { kNeedMore, kComplete, kRefused };

struct Fault {
  http::Refusal refusal = http::Refusal::kNone;
  size_t offset = 0;   // of the octet that was wrong, from the head's first
};

// The field section of a head or of trailers, line by line. Shared by the parsers below.
class FieldSection {
 public:
  FieldSection(http::Fields& fields, const HeadRules& rules)
      : fields_(&fields), rules_(&rules), lines_left_(rules.max_fields) {}

  // Takes the next lines of `received`; complete at the empty line.
  Progress parse(std::string_view received, LineScanner& scanner);
  Fault fault() const { return fault_; }
  size_t start() const { return started_at_; }
  size_t lines() const { return rules_->max_fields - lines_left_; }

 private:
  Progress refuse(http::Refusal refusal, size_t offset);
  Progress check_name(std::string_view name, size_t offset);
  Progress take(const LineScanner::Line& line, std::string_view received);
  Progress take_rest(const LineScanner::Line& line, std::string_view received, size_t start);
  Progress check_partial(std::string_view received);

  http::Fields* fields_;
  const HeadRules* rules_;
  size_t started_at_ = SIZE_MAX;
  size_t lines_left_;
  Fault fault_;
};

// Parses a request head (RFC 9112 3, 5) in one pass, without a copy or an allocation, and resumes where it stopped:
// byte by byte gives what all at once gives. Syntax only; `check_request` and `frame_request` give it meaning.
// Owned by the connection's exchange. The head's views point into `received`: when that buffer moves, call `rebase`.
class RequestParser {
 public:
  RequestParser(http::RequestHead& head, const HeadRules& rules)
      : head_(&head), rules_(&rules), section_(head.fields, rules) {}

  // `received` begins at the message's first octet and only grows from call to call.
  Progress parse(std::string_view received);
  // After kComplete: how many octets the head took, so that what follows is content or the next request.
  size_t consumed() const { return scanner_.line_start(); }
  Fault fault() const { return fault_; }
  // The buffer that earlier calls saw now lies at `to`.
  void rebase(std::string_view from, const char* to);
  std::string_view target_text() const { return target_; }

 private:
  Progress refuse(http::Refusal refusal, size_t offset);
  Progress parse_request_line(std::string_view received);
  Progress refuse_control(const LineScanner::Line& line);
  http::Refusal take_request_line(std::string_view line);
  http::Refusal take_version(std::string_view text);

  http::RequestHead* head_;
  const HeadRules* rules_;
  LineScanner scanner_;
  FieldSection section_;
  std::string_view target_;
  int empty_lines_ = 0;
  bool has_request_line_ = false;
  Fault fault_;
};

// The same for a response head (RFC 9112 4, 5).
class ResponseParser {
 public:
  ResponseParser(http::ResponseHead& head, const HeadRules& rules)
      : head_(&head), rules_(&rules), section_(head.fields, rules) {}

  Progress parse(std::string_view received);
  size_t consumed() const { return scanner_.line_start(); }
  Fault fault() const { return fault_; }
  void rebase(std::string_view from, const char* to);

 private:
  Progress refuse(http::Refusal refusal, size_t offset);
  bool take_status_line(std::string_view line);

  http::ResponseHead* head_;
  const HeadRules* rules_;
  LineScanner scanner_;
  FieldSection section_;
  bool has_status_line_ = false;
  Fault fault_;
};

}   // namespace proxyd::http1
