#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "shared/config/decode.h"
#include "shared/config/node.h"
#include "shared/config/schema.h"

namespace proxyd::config {
namespace {

// Walks two documents and the registry together: the registry knows the order, and which keys rebind a socket.
class Comparison {
 public:
  std::vector<Change> take() { return std::move(changes_); }

  void objects(const ObjectType* type, const Json& from, const Json& to, const std::string& pointer, bool rebinds) {
    for (const std::string& name : names_of(type, from, to)) {
      const Key* key = type ? type->find(name) : nullptr;
      member(key ? key->type : nullptr, name, from, to, pointer, key ? key->rebind() : rebinds);
    }
  }

 private:
  // In document order: the registry's, or by name.
  static std::vector<std::string> names_of(const ObjectType* type, const Json& from, const Json& to) {
    std::vector<std::string> names;
    for (const Key& key : type ? type->keys : std::vector<Key>()) names.emplace_back(key.name);
    if (type) return names;
    std::set<std::string> sorted;
    for (const auto& [name, value] : from.items()) sorted.insert(name);
    for (const auto& [name, value] : to.items()) sorted.insert(name);
    names.assign(sorted.begin(), sorted.end());
    return names;
  }

  void member(const ValueType* type, const std::string& name, const Json& from, const Json& to,
              const std::string& pointer, bool rebinds) {
    const std::string at = pointer + "/" + pointer_step(name);
    const auto before = from.find(name);
    const auto after = to.find(name);
    if (before == from.end() && after == to.end()) return;
    if (after == to.end()) {
      add("remove", at, *before, nullptr, rebinds);
    } else if (before == from.end()) {
      add("add", at, nullptr, *after, rebinds);
    } else {
      values(type, *before, *after, at, rebinds);
    }
  }

  void values(const ValueType* type, const Json& from, const Json& to, const std::string& pointer, bool rebinds) {
    if (from == to) return;
    if (from.is_object() && to.is_object()) {
      const bool map = type && type->kind == ValueKind::kMap;
      return map ? entries(type->item, from, to, pointer, rebinds)
                 : objects(type ? type->object : nullptr, from, to, pointer, rebinds);
    }
    const bool item_by_item = type && type->item && type->item->object && from.is_array() && from.size() == to.size();
    if (!item_by_item) return add("replace", pointer, from, to, rebinds);
    for (size_t i = 0; i < from.size(); ++i)
      values(type->item, from[i], to[i], fmt::format("{}/{}", pointer, i), rebinds);
  }

  void entries(const ValueType* item, const Json& from, const Json& to, const std::string& pointer, bool rebinds) {
    for (const std::string& name : names_of(nullptr, from, to)) member(item, name, from, to, pointer, rebinds);
  }

  void add(std::string op, std::string pointer, Json from, Json to, bool rebind) {
    changes_.push_back({std::move(op), std::move(pointer), std::move(from), std::move(to), rebind ? "rebind" : "live"});
  }

  std::vector<Change> changes_;
};

}   // namespace

std::vector<Change> diff(const Json& from, const Json& to) {
  Comparison comparison;
  const Json empty = Json::object();
  comparison.objects(&document_type(), from.is_object() ? from : empty, to.is_object() ? to : empty, "", false);
  return comparison.take();
}

}   // namespace proxyd::config
