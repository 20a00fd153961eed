#include "shared/config/canonical.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "shared/base/bytes.h"
#include "shared/config/problem_list.h"
#include "shared/config/read_tls.h"
#include "shared/config/scalar.h"
#include "shared/config/text_format.h"

namespace proxyd::config {
namespace {

// Walks the tree along the registry. Nothing is what had a problem.
class Walker {
 public:
  std::optional<Json> object(const ObjectType& type, const Node& node, const std::string& pointer);
  std::vector<Problem> take_problems() { return problems_.take(); }

 private:
  std::optional<Json> value(const ValueType& type, const Node& node, const std::string& pointer);
  std::optional<Json> map(const ValueType& type, const Node& node, const std::string& pointer);
  std::optional<Json> list(const ValueType& type, const Node& node, const std::string& pointer);
  std::optional<Json> scalar(const ValueType& type, const Node& node, const std::string& pointer);
  std::optional<Json> field_value(const Node& node, const std::string& pointer);
  std::optional<Json> condition(const Node& node, const std::string& pointer);
  const Node* only_member(const Node& node, std::string_view allowed, const std::string& pointer);
  void check_keys(const ObjectType& type, const Node& node, const std::string& pointer);
  void add_member(Json& json, const Key& key, const Node& member, const std::string& pointer);
  void check_field_cases(const std::vector<const Member*>& members, const std::string& pointer);
  bool fits(size_t count, const ValueType& type, const Node& node, const std::string& pointer);
  std::nullopt_t problem(const Node& node, const std::string& pointer, std::string code, std::string message,
                         std::string_view suggestion = {});

  ProblemList problems_;
};

std::nullopt_t Walker::problem(const Node& node, const std::string& pointer, std::string code, std::string message,
                               std::string_view suggestion) {
  problems_.add({pointer, node.line, node.column, std::move(code), std::move(message), did_you_mean(suggestion)});
  return std::nullopt;
}

void Walker::check_keys(const ObjectType& type, const Node& node, const std::string& pointer) {
  for (const Member& member : node.members) {
    const std::string& name = member.key.text;
    const std::string at = pointer + "/" + pointer_step(name);
    const Key* key = type.find(name);
    if (key && !key->type)
      problem(member.key, at, "unsupported",
              key->meaning.empty() ? fmt::format("not supported yet: '{}'; remove it", name)
                                   : fmt::format("'{}' {}", name, key->meaning));
    if (key) continue;
    std::vector<std::string_view> names;
    for (const Key& known : type.keys) names.push_back(known.name);
    const bool suggest = problems_.wants_suggestions();
    const std::string what = name.size() > 64 ? name.substr(0, 64) + "…" : name;
    problem(member.key, at, "unknown-key", fmt::format("unknown key '{}' in {}", what, type.name),
            suggest ? nearest(name, names) : "");
  }
}

// Keys in the registry's order.
std::optional<Json> Walker::object(const ObjectType& type, const Node& node, const std::string& pointer) {
  if (node.kind != Node::Kind::kMap) {
    return problem(node, pointer, "type", fmt::format("must be a map of keys ({})", type.name));
  }
  check_keys(type, node, pointer);
  Json json = Json::object();
  for (const Key& key : type.keys) {
    if (!key.type) continue;
    const std::string at = fmt::format("{}/{}", pointer, key.name);
    if (const Node* member = node.find(key.name)) {
      add_member(json, key, *member, at);
    } else if (key.required()) {
      problem(node, at, "missing", fmt::format("key '{}' is missing in {}", key.name, type.name));
    }
  }
  return json;
}

// What equals its default is left out.
void Walker::add_member(Json& json, const Key& key, const Node& member, const std::string& pointer) {
  const bool null = member.kind == Node::Kind::kNull;
  if (null && key.outermost()) return;
  if (null && key.inherited()) {
    json[std::string(key.name)] = nullptr;
    return;
  }
  std::optional<Json> made = value(*key.type, member, pointer);
  if (!made) return;
  const bool is_default = !key.default_json.empty() && *made == Json::parse(key.default_json);
  if (!is_default) json[std::string(key.name)] = std::move(*made);
}

std::optional<Json> Walker::value(const ValueType& type, const Node& node, const std::string& pointer) {
  const bool off = type.may_be_off && node.kind == Node::Kind::kText && node.text == "off";
  if (off) return Json("off");
  switch (type.kind) {
    case ValueKind::kList: return list(type, node, pointer);
    case ValueKind::kMap: return map(type, node, pointer);
    case ValueKind::kObject: return object(*type.object, node, pointer);
    case ValueKind::kFieldValue: return field_value(node, pointer);
    case ValueKind::kCondition: return condition(node, pointer);
    default: return scalar(type, node, pointer);
  }
}

std::optional<Json> Walker::scalar(const ValueType& type, const Node& node, const std::string& pointer) {
  Scalar read = read_scalar(type, node);
  if (!read.ok()) return problem(node, pointer, std::move(read.code), std::move(read.message), read.suggestion);
  return std::move(read.value);
}

bool Walker::fits(size_t count, const ValueType& type, const Node& node, const std::string& pointer) {
  if (count > type.most_items) {
    problem(node, pointer, "range", fmt::format("{} entries, at most {} can be", count, type.most_items));
  } else if (count < type.least_items) {
    problem(node, pointer, "range",
            fmt::format("must have at least {}", type.least_items == 1 ? "one entry" : "some entries"));
  }
  return count <= type.most_items && count >= type.least_items;
}

// An object with a problem stays as an empty one, so that the others keep their numbers.
std::optional<Json> Walker::list(const ValueType& type, const Node& node, const std::string& pointer) {
  const bool alone = type.may_be_one && node.kind != Node::Kind::kList;
  if (alone) {
    std::optional<Json> item = value(*type.item, node, pointer);
    return item ? std::optional(Json::array({std::move(*item)})) : std::nullopt;
  }
  if (node.kind != Node::Kind::kList) return problem(node, pointer, "type", "must be a list, as [a, b]");
  if (!fits(node.items.size(), type, node, pointer)) return std::nullopt;
  Json json = Json::array();
  bool whole = true;
  for (size_t i = 0; i < node.items.size(); ++i) {
    std::optional<Json> item = value(*type.item, node.items[i], fmt::format("{}/{}", pointer, i));
    whole = whole && (item || type.item->object);
    json.push_back(item ? std::move(*item) : Json::object());
  }
  if (!whole) return std::nullopt;
  return json;
}

// An object with a problem stays as an empty one, so that references to it are no problems of their own.
std::optional<Json> Walker::map(const ValueType& type, const Node& node, const std::string& pointer) {
  if (node.kind != Node::Kind::kMap) return problem(node, pointer, "type", "must be a map, as {name: value}");
  if (!fits(node.members.size(), type, node, pointer)) return std::nullopt;
  std::vector<const Member*> members;
  for (const Member& member : node.members) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const Member* a, const Member* b) { return a->key.text < b->key.text; });
  const bool fields = type.key_format == TextFormat::kFieldName || type.key_format == TextFormat::kToken;
  if (fields) check_field_cases(members, pointer);
  Json::object_t entries;
  for (const Member* member : members) {
    const std::string at = pointer + "/" + pointer_step(member->key.text);
    const TextFault fault = check_text(type.key_format, member->key.text);
    if (!fault.ok())
      problem(member->key, at, "name", fmt::format("'{}' {}", member->key.text.substr(0, 300), fault.message));
    std::optional<Json> made = value(*type.item, member->value, at);
    if (!fault.ok() || (!made && !type.item->object)) continue;
    static_cast<Json::object_t::Container&>(entries).emplace_back(member->key.text,
                                                                  made ? std::move(*made) : Json::object());
  }
  return Json(std::move(entries));
}

// Field names are one whatever their case (RFC 9110 5.1), keys of the document are not.
void Walker::check_field_cases(const std::vector<const Member*>& members, const std::string& pointer) {
  std::map<std::string, const Node*> seen;
  for (const Member* member : members) {
    std::string lower = member->key.text;
    std::transform(lower.begin(), lower.end(), lower.begin(), ascii_lower);
    const auto [other, is_new] = seen.emplace(std::move(lower), &member->key);
    if (is_new) continue;
    problem(member->key, pointer + "/" + pointer_step(member->key.text), "duplicate-key",
            fmt::format("field '{}' is given twice: it is also '{}' at line {}, column {}", member->key.text,
                        other->second->text, other->second->line, other->second->column));
  }
}

// The one member of { allowed: … }.
const Node* Walker::only_member(const Node& node, std::string_view allowed, const std::string& pointer) {
  const Node* member = node.find(allowed);
  if (member && node.members.size() == 1) return member;
  const Node& wrong = node.members.empty() ? node : node.members.front().key;
  problem(wrong, pointer, "type", fmt::format("must be a text or {{ {}: … }} and nothing beside", allowed));
  return nullptr;
}

// Null drops the edit of that field that would be inherited.
std::optional<Json> Walker::field_value(const Node& node, const std::string& pointer) {
  if (node.kind == Node::Kind::kNull) return Json(nullptr);
  if (node.kind != Node::Kind::kMap) return scalar({.format = TextFormat::kTemplate}, node, pointer);
  const Node* file = only_member(node, "file", pointer);
  if (!file) return std::nullopt;
  auto path = scalar({.format = TextFormat::kFilePath}, *file, pointer + "/file");
  if (!path) return std::nullopt;
  return Json{{"file", std::move(*path)}};
}

std::optional<Json> Walker::condition(const Node& node, const std::string& pointer) {
  if (node.kind != Node::Kind::kMap) return scalar({.format = TextFormat::kFieldContent}, node, pointer);
  if (node.find("absent")) {
    const Node* absent = only_member(node, "absent", pointer);
    if (!absent) return std::nullopt;
    if (absent->kind == Node::Kind::kBoolean && absent->text == "true") return Json{{"absent", true}};
    return problem(*absent, pointer + "/absent", "value", "must be true; \"*\" is the opposite of absent");
  }
  const Node* regex = only_member(node, "regex", pointer);
  if (!regex) return std::nullopt;
  auto expression = scalar({.format = TextFormat::kRegex}, *regex, pointer + "/regex");
  if (!expression) return std::nullopt;
  return Json{{"regex", std::move(*expression)}};
}

// One address is a list of one.
void unite_addresses(Json& json) {
  const auto listeners = json.find("listeners");
  if (listeners == json.end()) return;
  for (auto& listener : *listeners) {
    if (!listener.contains("address") || listener.contains("addresses")) continue;
    Json united = Json::object();
    united["addresses"] = Json::array({listener["address"]});
    listener.erase("address");
    united.update(listener);
    listener = std::move(united);
  }
}

// Their default depends on tls, so the registry can't say it.
void omit_default_protocols(Json& json) {
  const auto listeners = json.find("listeners");
  if (listeners == json.end()) return;
  for (auto& listener : *listeners) {
    Json silent = listener;
    silent.erase("protocols");
    if (read_protocols(silent) == read_protocols(listener)) listener = std::move(silent);
  }
}

}   // namespace

Canonical canonicalize(const Node& root) {
  Walker walker;
  Json json = walker.object(document_type(), root, "").value_or(Json::object());
  unite_addresses(json);
  omit_default_protocols(json);
  return {std::move(json), walker.take_problems()};
}

}   // namespace proxyd::config
