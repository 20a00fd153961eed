#include "shared/config/scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "shared/base/bytes.h"
#include "shared/config/text_format.h"
#include "shared/config/units.h"

namespace proxyd::config {
namespace {

constexpr int64_t kLongestDuration = int64_t{10} * 365 * 24 * 3600 * 1000;   // ten years
constexpr size_t kMostShown = 64;

// A value as a message shows it: short, on one line.
std::string shown(const Node& node) {
  if (node.kind == Node::Kind::kNull) return "null";
  std::string text = node.text.substr(0, kMostShown);
  while (!is_utf8(text)) text.pop_back();
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return node.text.size() > kMostShown ? text + "…" : text;
}

Scalar wrong(std::string code, std::string message, std::string suggestion = {}) {
  return {nullptr, std::move(code), std::move(message), std::move(suggestion)};
}

std::string or_off(const ValueType& type) { return type.may_be_off ? ", or off" : ""; }

Scalar read_duration(const ValueType& type, const Node& node) {
  const auto parsed = parse_duration(node.text);
  if (!parsed) {
    const bool bare = node.kind == Node::Kind::kInteger;
    return wrong("unit",
                 fmt::format("'{}' is no duration: write a number with its unit, as \"30s\" or \"250ms\"{}",
                             shown(node), or_off(type)),
                 bare ? node.text + "s" : "");
  }
  const int64_t most = std::min(type.most, kLongestDuration);
  if (*parsed >= type.least && *parsed <= most) return {format_duration(*parsed)};
  return wrong("range", fmt::format("'{}' must be at least {} and at most {}{}", shown(node),
                                    format_duration(type.least), format_duration(most), or_off(type)));
}

Scalar read_size(const ValueType& type, const Node& node) {
  const auto parsed = parse_size(node.text);
  if (!parsed) {
    const bool bare = node.kind == Node::Kind::kInteger;
    return wrong("unit",
                 fmt::format("'{}' is no size: write a number with its unit, as \"64KiB\" or \"1MiB\"{}", shown(node),
                             or_off(type)),
                 bare ? node.text + "B" : "");
  }
  const auto least = static_cast<uint64_t>(type.least);
  const auto most = static_cast<uint64_t>(type.most);
  if (*parsed >= least && *parsed <= most) return {format_size(*parsed)};
  const std::string and_most = type.most == INT64_MAX ? "" : fmt::format(" and at most {}", format_size(most));
  return wrong("range",
               fmt::format("'{}' must be at least {}{}{}", shown(node), format_size(least), and_most, or_off(type)));
}

Scalar read_number(const ValueType& type, const Node& node) {
  if (node.kind != Node::Kind::kInteger) {
    return wrong("type", fmt::format("'{}' must be a whole number without quotes{}", shown(node), or_off(type)));
  }
  int64_t parsed = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stopped, error] = std::from_chars(node.text.data(), end, parsed);
  const bool held = error == std::errc() && stopped == end;
  if (held && parsed >= type.least && parsed <= type.most) return {parsed};
  if (type.least == type.most) return wrong("range", fmt::format("{} must be {}", shown(node), type.least));
  const std::string most = type.most == INT64_MAX ? "" : fmt::format(" and at most {}", type.most);
  return wrong("range", fmt::format("{} must be at least {}{}{}", shown(node), type.least, most, or_off(type)));
}

Scalar read_boolean(const Node& node) {
  if (node.kind == Node::Kind::kBoolean) return {node.text == "true"};
  const bool yes = node.text == "on" || node.text == "yes";
  const bool no = node.text == "off" || node.text == "no";
  return wrong("type", fmt::format("'{}' must be true or false", shown(node)), yes ? "true" : no ? "false" : "");
}

Scalar read_text(const ValueType& type, const Node& node) {
  const bool bare_status = type.format == TextFormat::kStatusRange && node.kind == Node::Kind::kInteger;
  if (node.kind != Node::Kind::kText && !bare_status) {
    const bool off = type.may_be_off && node.kind == Node::Kind::kBoolean && node.text == "false";
    if (off) return wrong("type", "'false' must be a text, or off", "off");
    return wrong("type", fmt::format("'{}' must be a text; put it in quotes", shown(node)),
                 node.kind == Node::Kind::kNull ? "" : fmt::format("\"{}\"", node.text));
  }
  const size_t most = longest(type.format);
  if (node.text.size() > most) return wrong("range", fmt::format("'{}' is longer than {} octets", shown(node), most));
  const TextFault fault = check_text(type.format, node.text);
  if (fault.later) return wrong("unsupported", fmt::format("not supported yet: '{}' {}", shown(node), fault.message));
  if (!fault.ok()) return wrong("format", fmt::format("'{}' {}", shown(node), fault.message));
  if (type.format != TextFormat::kHostPattern) return {node.text};
  std::string lower = node.text;
  std::transform(lower.begin(), lower.end(), lower.begin(), ascii_lower);
  return {std::move(lower)};
}

// What a boolean probably means where it can't be one.
std::string_view as_switch(const ValueType& type, const Node& node) {
  const bool is_switch = std::find(type.words.begin(), type.words.end(), "on") != type.words.end();
  if (node.kind != Node::Kind::kBoolean || !is_switch) return nearest(node.text, type.words);
  return node.text == "true" ? "on" : "off";
}

Scalar read_word(const ValueType& type, const Node& node) {
  const auto among = [&node](const auto& words) {
    return std::find(words.begin(), words.end(), node.text) != words.end();
  };
  const bool boolean = node.text == "true" || node.text == "false";
  const auto due = boolean ? Node::Kind::kBoolean : Node::Kind::kText;
  if (node.kind == due && among(type.words)) return {word_value(node.text)};
  if (boolean && among(type.words)) return wrong("type", fmt::format("'{}' must be without quotes", node.text));
  if (!boolean && among(type.words))
    return wrong("type", fmt::format("'{}' must be in quotes", shown(node)), fmt::format("\"{}\"", node.text));
  const std::string known = fmt::format("{}", fmt::join(type.words, ", "));
  return wrong("value", fmt::format("'{}' is none of {}", shown(node), known), std::string(as_switch(type, node)));
}

}   // namespace

Json word_value(std::string_view word) {
  if (word == "true" || word == "false") return word == "true";
  return std::string(word);
}

Scalar read_scalar(const ValueType& type, const Node& node) {
  if (node.kind == Node::Kind::kMap || node.kind == Node::Kind::kList) {
    return wrong("type",
                 fmt::format("must be a single value, not a {}", node.kind == Node::Kind::kMap ? "map" : "list"));
  }
  if (type.may_be_off && node.kind == Node::Kind::kText && node.text == "off") return {"off"};
  switch (type.kind) {
    case ValueKind::kDuration: return read_duration(type, node);
    case ValueKind::kSize: return read_size(type, node);
    case ValueKind::kCount:
    case ValueKind::kInteger: return read_number(type, node);
    case ValueKind::kBoolean: return read_boolean(node);
    case ValueKind::kWord: return read_word(type, node);
    default: return read_text(type, node);
  }
}

}   // namespace proxyd::config
