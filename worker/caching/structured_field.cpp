#include "worker/caching/structured_field.h"

#include "shared/base/bytes.h"
#include "worker/http/characters.h"

namespace proxyd::caching {
namespace {

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_alpha(char c) { return is_lower(ascii_lower(c)); }
constexpr bool is_printable(char c) { return c >= 0x20 && c < 0x7F; }

}   // namespace

StructuredField::StructuredField(std::string_view field, Type type) : rest_(field), type_(type) { skip_spaces(); }

bool StructuredField::fail() {
  faulty_ = true;
  return false;
}

bool StructuredField::take(char c) {
  if (rest_.empty() || rest_.front() != c) return false;
  rest_.remove_prefix(1);
  return true;
}

void StructuredField::skip_spaces() {
  while (take(' ')) {
  }
}

void StructuredField::skip_optional_white_space() {
  while (take(' ') || take('\t')) {
  }
}

// Past the comma between two members. That nothing follows it the member's reader finds out.
bool StructuredField::begin_member() {
  if (faulty_ || at_end()) return false;
  if (first_) {
    first_ = false;
    return true;
  }
  if (!take(',')) return fail();
  skip_optional_white_space();
  return true;
}

std::optional<StructuredMember> StructuredField::next() {
  StructuredMember member;
  if (!begin_member()) return std::nullopt;
  if (type_ == Type::kDictionary) {
    if (!read_key(member.key)) return std::nullopt;
    if (take('=')) {
      if (!read_value(member)) return std::nullopt;
    } else {
      member.boolean = true;
    }
  } else if (!read_value(member)) {
    return std::nullopt;
  }
  if (!read_parameters()) return std::nullopt;
  skip_optional_white_space();
  if (!at_end() && rest_.front() != ',') fail();
  if (faulty_) return std::nullopt;
  return member;
}

bool StructuredField::read_key(std::string_view& key) {
  if (at_end() || (!is_lower(rest_.front()) && rest_.front() != '*')) return fail();
  size_t size = 1;
  while (size < rest_.size() && (is_lower(rest_[size]) || is_digit(rest_[size]) ||
                                 std::string_view("_-.*").find(rest_[size]) != std::string_view::npos))
    ++size;
  key = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

bool StructuredField::read_value(StructuredMember& member) {
  if (!take('(')) return read_item(member);
  member.kind = Kind::kInnerList;
  return read_inner_list();
}

// Behind its opening parenthesis.
bool StructuredField::read_inner_list() {
  for (;;) {
    skip_spaces();
    if (take(')')) return true;
    StructuredMember item;
    if (!read_item(item) || !read_parameters()) return false;
    if (at_end() || (rest_.front() != ' ' && rest_.front() != ')')) return fail();
  }
}

bool StructuredField::read_item(StructuredMember& member) {
  if (at_end()) return fail();
  const char first = rest_.front();
  if (is_digit(first) || first == '-') return read_number(member);
  if (is_alpha(first) || first == '*') {
    size_t size = 1;
    while (size < rest_.size() &&
           (http::is_in(rest_[size], http::character::kToken) || rest_[size] == ':' || rest_[size] == '/'))
      ++size;
    member.kind = Kind::kToken;
    member.text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }
  rest_.remove_prefix(1);
  switch (first) {
    case '"': return read_string(member);
    case ':': return read_bytes(member);
    case '%': return read_display_string(member);
    case '?':
      member.kind = Kind::kBoolean;
      member.boolean = take('1');
      return member.boolean || take('0') ? true : fail();
    case '@':
      if (!read_number(member) || member.kind != Kind::kInteger) return fail();
      member.kind = Kind::kDate;
      return true;
    default: return fail();
  }
}

// Fifteen digits, or twelve with up to three behind a point (RFC 9651 4.2.4).
bool StructuredField::read_number(StructuredMember& member) {
  const bool negative = take('-');
  size_t digits = 0;
  int64_t value = 0;
  while (!at_end() && is_digit(rest_.front())) {
    if (++digits > 15) return fail();
    value = value * 10 + (rest_.front() - '0');
    rest_.remove_prefix(1);
  }
  if (digits == 0) return fail();
  member.kind = Kind::kInteger;
  member.integer = negative ? -value : value;
  if (!take('.')) return true;
  size_t decimals = 0;
  while (!at_end() && is_digit(rest_.front())) {
    ++decimals;
    rest_.remove_prefix(1);
  }
  if (digits > 12 || decimals == 0 || decimals > 3) return fail();
  member.kind = Kind::kDecimal;
  return true;
}

// Behind its opening quote.
bool StructuredField::read_string(StructuredMember& member) {
  for (size_t at = 0; at < rest_.size(); ++at) {
    const char c = rest_[at];
    if (c == '"') {
      member.kind = Kind::kString;
      member.text = rest_.substr(0, at);
      rest_.remove_prefix(at + 1);
      return true;
    }
    if (!is_printable(c)) break;
    if (c != '\\') continue;
    ++at;
    if (at >= rest_.size() || (rest_[at] != '"' && rest_[at] != '\\')) break;
  }
  return fail();
}

// Behind its opening colon. What base64 decodes to is nobody's concern here.
bool StructuredField::read_bytes(StructuredMember& member) {
  size_t size = 0;
  while (size < rest_.size() && (is_alpha(rest_[size]) || is_digit(rest_[size]) ||
                                 std::string_view("+/=").find(rest_[size]) != std::string_view::npos))
    ++size;
  rest_.remove_prefix(size);
  member.kind = Kind::kBytes;
  return take(':') ? true : fail();
}

// Behind its percent sign.
bool StructuredField::read_display_string(StructuredMember& member) {
  member.kind = Kind::kDisplayString;
  if (!take('"')) return fail();
  while (!at_end()) {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '"') return true;
    if (!is_printable(c)) return fail();
    if (c != '%') continue;
    const auto is_lower_hex = [](char digit) { return is_digit(digit) || (digit >= 'a' && digit <= 'f'); };
    if (rest_.size() < 2 || !is_lower_hex(rest_[0]) || !is_lower_hex(rest_[1])) return fail();
    rest_.remove_prefix(2);
  }
  return fail();
}

bool StructuredField::read_parameters() {
  while (take(';')) {
    skip_spaces();
    std::string_view key;
    if (!read_key(key)) return false;
    StructuredMember value;
    if (take('=') && !read_item(value)) return false;
  }
  return true;
}

}   // namespace proxyd::caching
