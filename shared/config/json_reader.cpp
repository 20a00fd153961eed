#include <fmt/format.h>

#include <algorithm>

#include "shared/base/bytes.h"
#include "shared/config/node.h"

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

// Why reading stopped; caught in read_json.
struct Stop {
  Problem problem;
};

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Node document() {
    Node root = value(0);
    skip_space();
    if (at_ != text_.size()) stop("syntax", "text follows the end of the document");
    return root;
  }
  std::vector<Problem> take_duplicates() { return std::move(duplicates_); }

 private:
  [[noreturn]] void stop(std::string code, std::string message) const {
    throw Stop{{"", line_, static_cast<int>(at_ - line_start_) + 1, std::move(code), std::move(message), ""}};
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void expect(char c, std::string_view where) {
    if (peek() != c || at_ == text_.size()) stop("syntax", fmt::format("'{}' is missing {}", c, where));
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
    for (;;) {
      skip_space();
      if (peek() != '"') stop("syntax", "a key in double quotes is missing");
      Node key = value(depth);
      skip_space();
      expect(':', "after a key");
      Node member = value(depth + 1);
      add(node, std::move(key), std::move(member));
      skip_space();
      if (peek() == '}') return void(++at_);
      expect(',', "between two members");
    }
  }

  void add(Node& node, Node key, Node member) {
    const auto same = std::find_if(node.members.begin(), node.members.end(), [&key](const auto& other) { return other.key.text == key.text; });
    if (same != node.members.end()) {
      duplicates_.push_back({"", key.line, key.column, "duplicate-key",
                             fmt::format("key '{}' is given twice: first at line {}, column {}", key.text,
                                         same->key.line, same->key.column), ""});
    }
    node.members.push_back({std::move(key), std::move(member)});
  }

  void list(Node& node, int depth) {
    node.kind = Node::Kind::kList;
    expect('[', "");
    skip_space();
    if (peek() == ']') return void(++at_);
    for (;;) {
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
      if (digit < 0) stop("syntax", "\\u needs four hexadecimal digits");
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
    if (c != 'u') stop("syntax", "an unknown escape in a string");
    ++at_;
    uint32_t code_point = hex4();
    if (code_point >= 0xD800 && code_point < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      const uint32_t low = hex4();
      if (low < 0xDC00 || low > 0xDFFF) stop("utf-8", "a lone surrogate in a string");
      code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
    } else if (code_point >= 0xD800 && code_point <= 0xDFFF) {
      stop("utf-8", "a lone surrogate in a string");
    }
    append_utf8(text, code_point);
  }

  std::string string() {
    std::string text;
    ++at_;
    for (;;) {
      if (at_ >= text_.size()) stop("syntax", "a string has no end");
      const char c = text_[at_];
      if (c == '"') return ++at_, text;
      if (static_cast<unsigned char>(c) < 0x20) stop("syntax", "a control character in a string; write it as \\u00XX");
      ++at_;
      if (c == '\\') {
        escape(text);
      } else {
        text += c;
      }
    }
  }

  void digits() {
    if (!is_digit(peek())) stop("syntax", "a digit is missing in a number");
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
  std::vector<Problem> duplicates_;
};

}  // namespace

Read read_json(std::string_view text) {
  if (text.size() > kMaxDocument) return {{}, {{"", 0, 0, "size", "the document is larger than 8 MiB", ""}}};
  if (!is_utf8(text)) return {{}, {{"", 0, 0, "utf-8", "the document is not well-formed UTF-8", ""}}};
  JsonReader reader(text);
  try {
    Node root = reader.document();
    return {std::move(root), reader.take_duplicates()};
  } catch (Stop& stopped) {
    return {{}, {std::move(stopped.problem)}};
  }
}

}  // namespace proxyd::config
