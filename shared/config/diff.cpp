#include <set>

#include "shared/config/decode.h"
#include "shared/config/node.h"
#include "shared/config/schema.h"

namespace proxyd::config {
namespace {

// Walks two documents and the registry together: the registry knows which keys rebind a socket.
class Comparison {
 public:
  std::vector<Change> take() { return std::move(changes_); }

  void objects(const ObjectType* type, const Json& from, const Json& to, const std::string& pointer, bool rebinds) {
    for (const auto& [name, value] : from.items()) {
      if (!to.contains(name)) add("remove", pointer + "/" + pointer_step(name), value, nullptr, rebinds_key(type, name, rebinds));
    }
    for (const auto& [name, value] : to.items()) {
      const std::string at = pointer + "/" + pointer_step(name);
      const bool rebind = rebinds_key(type, name, rebinds);
      if (!from.contains(name)) {
        add("add", at, nullptr, value, rebind);
      } else {
        values(child_type(type, name), from.at(name), value, at, rebind);
      }
    }
  }

 private:
  static bool rebinds_key(const ObjectType* type, const std::string& name, bool rebinds) {
    const Key* key = type ? type->find(name) : nullptr;
    return key ? key->rebind() : rebinds;
  }
  static const ValueType* child_type(const ObjectType* type, const std::string& name) {
    const Key* key = type ? type->find(name) : nullptr;
    return key ? key->type : nullptr;
  }

  void values(const ValueType* type, const Json& from, const Json& to, const std::string& pointer, bool rebinds) {
    if (from == to) return;
    if (!from.is_object() || !to.is_object()) return add("replace", pointer, from, to, rebinds);
    if (type && type->kind == ValueKind::kMap) return maps(type->item, from, to, pointer, rebinds);
    objects(type ? type->object : nullptr, from, to, pointer, rebinds);
  }

  void maps(const ValueType* item, const Json& from, const Json& to, const std::string& pointer, bool rebinds) {
    for (const auto& [name, value] : from.items()) {
      if (!to.contains(name)) add("remove", pointer + "/" + pointer_step(name), value, nullptr, rebinds);
    }
    for (const auto& [name, value] : to.items()) {
      const std::string at = pointer + "/" + pointer_step(name);
      if (!from.contains(name)) {
        add("add", at, nullptr, value, rebinds);
      } else {
        values(item, from.at(name), value, at, rebinds);
      }
    }
  }

  void add(std::string op, std::string pointer, Json from, Json to, bool rebind) {
    changes_.push_back({std::move(op), std::move(pointer), std::move(from), std::move(to), rebind ? "rebind" : "live"});
  }

  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> diff(const Json& from, const Json& to) {
  Comparison comparison;
  const Json empty = Json::object();
  comparison.objects(&document_type(), from.is_object() ? from : empty, to.is_object() ? to : empty, "", false);
  return comparison.take();
}

}  // namespace proxyd::config
