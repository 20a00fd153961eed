#include "master/object_versions.h"

#include <unordered_map>

#include "shared/config/schema.h"

namespace proxyd::master {
namespace {

using config::Json;
using Objects = std::unordered_map<std::string, const Json*>;

void add_entries(Objects& objects, const Json& parent, const char* member, const std::string& place) {
  const auto found = parent.is_object() ? parent.find(member) : parent.end();
  if (!parent.is_object() || found == parent.end()) return;
  if (found->is_object()) {
    for (const auto& [name, value] : found->items()) objects[place + "/" + name] = &value;
  }
  if (found->is_array()) {
    for (const Json& item : *found) objects[place + "/" + item.value("name", "")] = &item;
  }
}

Objects objects_of(const Json& document) {
  Objects objects;
  if (!document.is_object()) return objects;
  for (const auto& [kind, part] : document.items()) {
    const bool named = config::is_map_of_objects(kind) && part.is_object();
    if (!named) {
      objects[kind] = &part;
      continue;
    }
    for (const auto& [name, object] : part.items()) {
      const std::string place = kind + "/" + name;
      objects[place] = &object;
      if (kind == "upstreams") add_entries(objects, object, "targets", place + "/targets");
      if (kind == "hosts") add_entries(objects, object, "routes", place + "/routes");
    }
  }
  return objects;
}

}   // namespace

ObjectVersions object_versions(const ObjectVersions& known, const Json& before, const Json& after, uint64_t revision) {
  const Objects old_objects = objects_of(before);
  ObjectVersions versions;
  for (const auto& [place, object] : objects_of(after)) {
    const auto old_object = old_objects.find(place);
    const auto version = known.find(place);
    const bool same = old_object != old_objects.end() && version != known.end() && *old_object->second == *object;
    versions[place] = same ? version->second : revision;
  }
  return versions;
}

}   // namespace proxyd::master
