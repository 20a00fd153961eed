#include "shared/config/readable.h"

#include <algorithm>

#include "shared/base/bytes.h"
#include "shared/config/node.h"

namespace proxyd::config {
namespace {

Problem problem_at(std::string_view text, size_t offset, std::string code, std::string message) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t line_end = before.rfind('\n');
  const size_t column = line_end == std::string_view::npos ? offset + 1 : offset - line_end;
  return {"", static_cast<int>(line), static_cast<int>(column), std::move(code), std::move(message), ""};
}

// How many octets the sequence that begins with `first` should have.
size_t sequence_length(char first) {
  const auto octet = static_cast<unsigned char>(first);
  if (octet < 0x80) return 1;
  if (octet < 0xE0) return 2;
  return octet < 0xF0 ? 3 : 4;
}

}   // namespace

std::optional<Problem> unreadable(std::string_view text) {
  if (text.size() > kMaxDocument) {
    return Problem{"", 1, 1, "size", "the document is larger than 8 MiB; split its sites over several machines", ""};
  }
  if (is_utf8(text)) return std::nullopt;
  size_t at = 0;
  while (at < text.size() && is_utf8(text.substr(at, sequence_length(text[at])))) at += sequence_length(text[at]);
  return problem_at(text, at, "utf-8", "not well-formed UTF-8 from here on; save the file as UTF-8");
}

std::optional<Problem> unprintable(std::string_view text) {
  const auto refused = [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet == 0x7F || (octet < 0x20 && c != '\t' && c != '\n' && c != '\r');
  };
  const auto found = std::find_if(text.begin(), text.end(), refused);
  if (found == text.end()) return std::nullopt;
  const auto offset = static_cast<size_t>(found - text.begin());
  return problem_at(text, offset, "syntax", "a control character; write it as \"\\xNN\" in double quotes");
}

}   // namespace proxyd::config
