#include <fmt/format.h>

#include <map>
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
    const bool lists = type && type->item && type->item->object && from.is_array() && to.is_array();
    if (lists && type->item->object->find("name")) return named_items(type->item, from, to, pointer, rebinds);
    if (!lists || from.size() != to.size()) return add("replace", pointer, from, to, rebinds);
    for (size_t i = 0; i < from.size(); ++i)
      values(type->item, from[i], to[i], fmt::format("{}/{}", pointer, i), rebinds);
  }

  using Places = std::map<std::string, size_t>;
  static Places places_of(const Json& list) {
    Places places;
    for (size_t i = 0; i < list.size(); ++i) places[list[i].value("name", "")] = i;
    return places;
  }
  // The names in `list` that are among `others`, in its order.
  static Json common_names(const Json& list, const Places& others) {
    Json names = Json::array();
    for (const Json& item : list) {
      if (others.contains(item.value("name", ""))) names.push_back(item.at("name"));
    }
    return names;
  }

  // Items that have names are the same wherever they stand; their order is a change of its own. Places are those of
  // `from`, but of what is new.
  void named_items(const ValueType* item, const Json& from, const Json& to, const std::string& pointer, bool rebinds) {
    const Places before = places_of(from);
    const Places after = places_of(to);
    const auto at = [&pointer](size_t place) { return fmt::format("{}/{}", pointer, place); };
    for (size_t i = 0; i < from.size(); ++i) {
      const auto same = after.find(from[i].value("name", ""));
      if (same == after.end()) {
        add("remove", at(i), from[i], nullptr, rebinds);
      } else {
        values(item, from[i], to[same->second], at(i), rebinds);
      }
    }
    const Json old_order = common_names(from, after);
    const Json new_order = common_names(to, before);
    if (old_order != new_order) add("reorder", pointer, old_order, new_order, rebinds);
    for (size_t i = 0; i < to.size(); ++i) {
      if (!before.contains(to[i].value("name", ""))) add("add", at(i), nullptr, to[i], rebinds);
    }
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
