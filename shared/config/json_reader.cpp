#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "shared/base/bytes.h"
#include "shared/config/duplicates.h"
#include "shared/config/node.h"
#include "shared/config/readable.h"

namespace proxyd::config {
namespace {

void append_utf8(std::string& text, uint32_t code_point) {
  const auto octet = [&text](uint32_t value) { text += static_cast<char>(value); };
  if (code_point < 0x80) {
    octet(code_point);
  } else if (code_point < 0x800) {
    octet(0xC0 | code_point >> 6);
    octet(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    octet(0xE0 | code_point >> 12);
    octet(0x80 | (code_point >> 6 & 0x3F));
    octet(0x80 | (code_point & 0x3F));
  } else {
    octet(0xF0 | code_point >> 18);
    octet(0x80 | (code_point >> 12 & 0x3F));
    octet(0x80 | (code_point >> 6 & 0x3F));
    octet(0x80 | (code_point & 0x3F));
  }
}

bool is_finite(const std::string& number) {
  double value = 0;
  return std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc();
}

// Recursive descent. The first fault is kept and moves the position to the end of the text, so that every loop ends.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Node document() {
    Node root = value(0);
    skip_space();
    if (at_ != text_.size()) stop("syntax", "text follows the end of the document");
    return root;
  }
  const std::optional<Problem>& fault() const { return fault_; }

 private:
  void stop(std::string code, std::string message) {
    if (fault_) return;
    const int column = static_cast<int>(at_ - line_start_) + 1;
    fault_ = {"", line_, column, std::move(code), std::move(message), ""};
    at_ = text_.size();
  }
  bool stopped() const { return fault_.has_value(); }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void expect(char c, std::string_view where) {
    if (peek() != c || at_ == text_.size()) return stop("syntax", fmt::format("'{}' is missing {}", c, where));
    ++at_;
  }
  void skip_space() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        return;
      }
    }
  }

  Node value(int depth) {
    skip_space();
    if (depth > kMaxDepth) stop("depth", fmt::format("nested deeper than {} levels", kMaxDepth));
    if (++nodes_ > kMaxNodes) stop("nodes", fmt::format("more than {} values", kMaxNodes));
    Node node;
    if (stopped()) return node;
    node.line = line_;
    node.column = static_cast<int>(at_ - line_start_) + 1;
    switch (peek()) {
      case '{': map(node, depth); break;
      case '[': list(node, depth); break;
      case '"':
        node.kind = Node::Kind::kText;
        node.text = string();
        break;
      default: word(node);
    }
    return node;
  }

  void map(Node& node, int depth) {
    node.kind = Node::Kind::kMap;
    expect('{', "");
    skip_space();
    if (peek() == '}') return void(++at_);
    while (!stopped()) {
      skip_space();
      if (peek() != '"') return stop("syntax", "a key in double quotes is missing");
      Node key = value(depth);
      skip_space();
      expect(':', "after a key");
      Node member = value(depth + 1);
      node.members.push_back({std::move(key), std::move(member)});
      skip_space();
      if (peek() == '}') return void(++at_);
      expect(',', "between two members");
    }
  }

  void list(Node& node, int depth) {
    node.kind = Node::Kind::kList;
    expect('[', "");
    skip_space();
    if (peek() == ']') return void(++at_);
    while (!stopped()) {
      node.items.push_back(value(depth + 1));
      skip_space();
      if (peek() == ']') return void(++at_);
      expect(',', "between two items");
    }
  }

  uint32_t hex4() {
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const int digit = at_ < text_.size() ? hex_value(text_[at_]) : -1;
      if (digit < 0) return stop("syntax", "\\u needs four hexadecimal digits"), 0;
      value = value * 16 + static_cast<uint32_t>(digit);
      ++at_;
    }
    return value;
  }

  void escape(std::string& text) {
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char c = peek();
    if (const size_t index = kEscapes.find(c); index != std::string_view::npos && c != '\0') {
      text += kMeanings[index];
      ++at_;
      return;
    }
    if (c != 'u') return stop("syntax", "an unknown escape in a string");
    ++at_;
    uint32_t code_point = hex4();
    if (code_point >= 0xD800 && code_point < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      const uint32_t low = hex4();
      if (low < 0xDC00 || low > 0xDFFF) return stop("utf-8", "a lone surrogate in a string");
      code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
    } else if (code_point >= 0xD800 && code_point <= 0xDFFF) {
      return stop("utf-8", "a lone surrogate in a string");
    }
    append_utf8(text, code_point);
  }

  std::string string() {
    std::string text;
    ++at_;
    for (char c = peek(); c != '"' && !stopped(); c = peek()) {
      if (at_ >= text_.size()) {
        stop("syntax", "a string has no end");
      } else if (static_cast<unsigned char>(c) < 0x20) {
        stop("syntax", "a control character in a string; write it as \\u00XX");
      } else if (++at_; c == '\\') {
        escape(text);
      } else {
        text += c;
      }
    }
    if (!stopped()) ++at_;
    return text;
  }

  void digits() {
    if (!is_digit(peek())) return stop("syntax", "a digit is missing in a number");
    while (is_digit(peek())) ++at_;
  }

  void number(Node& node) {
    const size_t start = at_;
    node.kind = Node::Kind::kInteger;
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else {
      digits();
    }
    if (peek() == '.') {
      ++at_;
      node.kind = Node::Kind::kReal;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      node.kind = Node::Kind::kReal;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
    node.text = text_.substr(start, at_ - start);
    if (node.text == "-0") stop("syntax", "-0 is no number that means anything here");
    if (node.kind == Node::Kind::kReal && !is_finite(node.text)) stop("syntax", "a number beyond what can be held");
  }

  void word(Node& node) {
    if (peek() == '-' || is_digit(peek())) return number(node);
    for (const std::string_view known : {"true", "false", "null"}) {
      if (text_.substr(at_, known.size()) != known) continue;
      node.kind = known == "null" ? Node::Kind::kNull : Node::Kind::kBoolean;
      node.text = known;
      at_ += known.size();
      return;
    }
    stop("syntax", at_ == text_.size() ? "the document ends too early" : "a value is missing");
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t line_start_ = 0;
  int line_ = 1;
  size_t nodes_ = 0;
  std::optional<Problem> fault_;
};

}   // namespace

Read read_json(std::string_view text) {
  if (auto fault = unreadable(text)) return {{}, {std::move(*fault)}};
  JsonReader reader(text);
  Node root = reader.document();
  if (reader.fault()) return {{}, {*reader.fault()}};
  std::vector<Problem> duplicates = find_duplicate_keys(root);
  return {std::move(root), std::move(duplicates)};
}

}   // namespace proxyd::config
