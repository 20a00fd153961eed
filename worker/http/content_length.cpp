#include "worker/http/content_length.h"

#include "shared/base/bytes.h"

namespace proxyd::http {
namespace {

constexpr uint64_t kLengthLimit = (uint64_t{1} << 63) - 1;   // from here on: 413

Result<uint64_t, Refusal> parse_length(std::string_view text) {
  uint64_t length = 0;
  bool too_large = false;
  for (const char c : text) {
    if (!is_digit(c)) return text.find(',') != std::string_view::npos ? Refusal::kClList : Refusal::kClInvalid;
    too_large = too_large || length > kLengthLimit / 10;
    if (!too_large) length = length * 10 + static_cast<uint64_t>(c - '0');
  }
  if (too_large || length >= kLengthLimit) return Refusal::kBodyTooLarge;
  return length;
}

}   // namespace

Result<uint64_t, Refusal> content_length(const Fields& fields) {
  const Field* line = fields.find(FieldName::kContentLength);
  for (const Field* field = line; field != fields.end(); ++field) {
    if (field->known != FieldName::kContentLength) continue;
    if (field->value.empty()) return Refusal::kClEmpty;
    if (field != line) return Refusal::kClDuplicate;
  }
  return parse_length(line->value);
}

}   // namespace proxyd::http
