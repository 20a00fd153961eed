#include "shared/config/canonical.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "shared/base/bytes.h"
#include "shared/config/text_format.h"
#include "shared/config/units.h"

namespace proxyd::config {
namespace {

constexpr size_t kMostText = 1024 * 1024;
constexpr int64_t kLongestDuration = int64_t{10} * 365 * 24 * 3600 * 1000;   // ten years

class Walker {
 public:
  Json object(const ObjectType& type, const Node& node, const std::string& pointer);
  std::vector<Problem> take_problems() { return std::move(problems_); }

 private:
  Json value(const ValueType& type, const Node& node, const std::string& pointer);
  Json map(const ValueType& type, const Node& node, const std::string& pointer);
  Json list(const ValueType& type, const Node& node, const std::string& pointer);
  Json text(const ValueType& type, const Node& node, const std::string& pointer);
  Json word(const ValueType& type, const Node& node, const std::string& pointer);
  Json number(const ValueType& type, const Node& node, const std::string& pointer);
  Json duration(const ValueType& type, const Node& node, const std::string& pointer);
  Json size(const ValueType& type, const Node& node, const std::string& pointer);
  Json field_value(const Node& node, const std::string& pointer);
  Json condition(const Node& node, const std::string& pointer);
  Json one_member(const Node& node, std::string_view allowed, const std::string& pointer);
  void check_keys(const ObjectType& type, const Node& node, const std::string& pointer);
  Json problem(const Node& node, const std::string& pointer, std::string code, std::string message,
               std::string_view suggestion = {});

  std::vector<Problem> problems_;
};

Json Walker::problem(const Node& node, const std::string& pointer, std::string code, std::string message,
                     std::string_view suggestion) {
  problems_.push_back({pointer, node.line, node.column, std::move(code), std::move(message),
                       suggestion.empty() ? "" : fmt::format("did you mean '{}'?", suggestion)});
  return nullptr;
}

void Walker::check_keys(const ObjectType& type, const Node& node, const std::string& pointer) {
  for (const Member& member : node.members) {
    const std::string& name = member.key.text;
    const std::string at = pointer + "/" + pointer_step(name);
    const Key* key = type.find(name);
    if (key && !key->type) {
      problem(member.key, at, "unsupported", fmt::format("not supported yet: '{}'", name));
    } else if (!key) {
      std::vector<std::string_view> names;
      for (const Key& known : type.keys) names.push_back(known.name);
      problem(member.key, at, "unknown-key", fmt::format("unknown key '{}'", name), nearest(name, names));
    }
  }
}

// Keys in the registry's order; what equals its default is left out.
Json Walker::object(const ObjectType& type, const Node& node, const std::string& pointer) {
  Json json = Json::object();
  if (node.kind != Node::Kind::kMap) {
    return problem(node, pointer, "type", fmt::format("must be a map of keys ({})", type.name));
  }
  check_keys(type, node, pointer);
  for (const Key& key : type.keys) {
    if (!key.type) continue;
    const Node* member = node.find(key.name);
    const std::string at = fmt::format("{}/{}", pointer, key.name);
    if (!member) {
      if (key.required()) problem(node, at, "missing", fmt::format("key '{}' is missing", key.name));
      continue;
    }
    if (member->kind == Node::Kind::kNull && key.inherited()) {
      json[std::string(key.name)] = nullptr;
      continue;
    }
    Json made = value(*key.type, *member, at);
    const bool is_default = !key.default_json.empty() && made == Json::parse(key.default_json);
    if (!is_default || key.required()) json[std::string(key.name)] = std::move(made);
  }
  return json;
}

Json Walker::value(const ValueType& type, const Node& node, const std::string& pointer) {
  const bool off = node.kind == Node::Kind::kText && node.text == "off";
  if (type.may_be_off && off) return "off";
  switch (type.kind) {
    case ValueKind::kDuration: return duration(type, node, pointer);
    case ValueKind::kSize: return size(type, node, pointer);
    case ValueKind::kCount:
    case ValueKind::kInteger: return number(type, node, pointer);
    case ValueKind::kBoolean:
      if (node.kind != Node::Kind::kBoolean) return problem(node, pointer, "type", "must be true or false");
      return node.text == "true";
    case ValueKind::kText: return text(type, node, pointer);
    case ValueKind::kWord: return word(type, node, pointer);
    case ValueKind::kList: return list(type, node, pointer);
    case ValueKind::kMap: return map(type, node, pointer);
    case ValueKind::kObject: return object(*type.object, node, pointer);
    case ValueKind::kFieldValue: return field_value(node, pointer);
    case ValueKind::kCondition: return condition(node, pointer);
  }
  return nullptr;
}

Json Walker::duration(const ValueType& type, const Node& node, const std::string& pointer) {
  const auto parsed = parse_duration(node.text);
  if (parsed && *parsed >= type.least && *parsed <= kLongestDuration) return format_duration(*parsed);
  const bool bare = node.kind == Node::Kind::kInteger;
  return problem(node, pointer, "unit",
                 fmt::format("'{}' is no duration: write a number with its unit, as \"30s\" or \"250ms\"{}", node.text,
                             type.may_be_off ? ", or off" : ""),
                 bare ? node.text + "s" : "");
}

Json Walker::size(const ValueType& type, const Node& node, const std::string& pointer) {
  const auto parsed = parse_size(node.text);
  if (parsed) return format_size(*parsed);
  const bool bare = node.kind == Node::Kind::kInteger;
  return problem(node, pointer, "unit",
                 fmt::format("'{}' is no size: write a number with its unit, as \"64KiB\" or \"1MiB\"{}", node.text,
                             type.may_be_off ? ", or off" : ""),
                 bare ? node.text + "B" : "");
}

Json Walker::number(const ValueType& type, const Node& node, const std::string& pointer) {
  int64_t parsed = 0;
  const std::string_view digits = node.text;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed);
  const bool whole = node.kind == Node::Kind::kInteger && error == std::errc() && end == digits.data() + digits.size();
  if (!whole) return problem(node, pointer, "type", fmt::format("'{}' must be a whole number", node.text));
  if (parsed < type.least || parsed > type.most) {
    const std::string most = type.most == INT64_MAX ? "" : fmt::format(" and at most {}", type.most);
    return problem(node, pointer, "range", fmt::format("{} must be at least {}{}", parsed, type.least, most));
  }
  return parsed;
}

Json Walker::text(const ValueType& type, const Node& node, const std::string& pointer) {
  if (node.kind != Node::Kind::kText) return problem(node, pointer, "type", fmt::format("'{}' must be a text; put it in quotes", node.text));
  if (node.text.size() > kMostText) return problem(node, pointer, "range", "longer than 1 MiB");
  const TextFault fault = check_text(type.format, node.text);
  if (fault.later) return problem(node, pointer, "unsupported", fmt::format("not supported yet: '{}' {}", node.text, fault.message));
  if (!fault.ok()) return problem(node, pointer, "format", fmt::format("'{}' {}", node.text, fault.message));
  if (type.format != TextFormat::kHostPattern) return node.text;
  std::string lower = node.text;
  std::transform(lower.begin(), lower.end(), lower.begin(), ascii_lower);
  return lower;
}

Json Walker::word(const ValueType& type, const Node& node, const std::string& pointer) {
  const auto among = [&node](const auto& words) { return std::find(words.begin(), words.end(), node.text) != words.end(); };
  if (node.kind == Node::Kind::kText && among(type.words)) return node.text;
  if (among(type.later_words)) return problem(node, pointer, "unsupported", fmt::format("not supported yet: '{}'", node.text));
  return problem(node, pointer, "value", fmt::format("'{}' is none of {}", node.text, fmt::join(type.words, ", ")),
                 nearest(node.text, type.words));
}

Json Walker::list(const ValueType& type, const Node& node, const std::string& pointer) {
  if (node.kind != Node::Kind::kList) return problem(node, pointer, "type", "must be a list, as [a, b]");
  if (node.items.size() > type.most_items) return problem(node, pointer, "range", fmt::format("more than {} items", type.most_items));
  Json json = Json::array();
  for (size_t i = 0; i < node.items.size(); ++i) json.push_back(value(*type.item, node.items[i], fmt::format("{}/{}", pointer, i)));
  return json;
}

Json Walker::map(const ValueType& type, const Node& node, const std::string& pointer) {
  if (node.kind != Node::Kind::kMap) return problem(node, pointer, "type", "must be a map, as {name: value}");
  if (node.members.size() > type.most_items) return problem(node, pointer, "range", fmt::format("more than {} entries", type.most_items));
  std::vector<const Member*> members;
  for (const Member& member : node.members) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const Member* a, const Member* b) { return a->key.text < b->key.text; });
  Json json = Json::object();
  for (const Member* member : members) {
    const std::string at = pointer + "/" + pointer_step(member->key.text);
    const TextFault fault = check_text(type.key_format, member->key.text);
    if (!fault.ok()) problem(member->key, at, "name", fmt::format("'{}' {}", member->key.text, fault.message));
    json[member->key.text] = value(*type.item, member->value, at);
  }
  return json;
}

// { allowed: text } and nothing else.
Json Walker::one_member(const Node& node, std::string_view allowed, const std::string& pointer) {
  const Node* member = node.find(allowed);
  if (!member || node.members.size() != 1) {
    const Node& wrong = node.members.empty() ? node : node.members.front().key;
    return problem(wrong, pointer, "unknown-key", fmt::format("must be a text or {{ {}: … }}", allowed));
  }
  if (member->kind == Node::Kind::kBoolean && allowed == "absent") return Json{{"absent", true}};
  const ValueType type{.format = allowed == "file" ? TextFormat::kFilePath : TextFormat::kRegex};
  Json json = Json::object();
  json[std::string(allowed)] = text(type, *member, pointer + "/" + std::string(allowed));
  return json;
}

Json Walker::field_value(const Node& node, const std::string& pointer) {
  if (node.kind == Node::Kind::kMap) return one_member(node, "file", pointer);
  return text({.format = TextFormat::kTemplate}, node, pointer);
}

Json Walker::condition(const Node& node, const std::string& pointer) {
  if (node.kind == Node::Kind::kMap) return one_member(node, node.find("absent") ? "absent" : "regex", pointer);
  return text({.format = TextFormat::kAny}, node, pointer);
}

// One address is a list of one.
void unite_addresses(Json& json) {
  const auto listeners = json.find("listeners");
  if (listeners == json.end() || !listeners->is_object()) return;
  for (auto& listener : *listeners) {
    if (!listener.is_object() || !listener.contains("address") || listener.contains("addresses")) continue;
    Json united = Json::object();
    united["addresses"] = Json::array({listener["address"]});
    listener.erase("address");
    united.update(listener);
    listener = std::move(united);
  }
}

}  // namespace

Canonical canonicalize(const Node& root) {
  Walker walker;
  Json json = walker.object(document_type(), root, "");
  unite_addresses(json);
  return {std::move(json), walker.take_problems()};
}

}  // namespace proxyd::config
