#include "shared/config/json_read.h"

#include "shared/config/units.h"

namespace proxyd::config {

const Json& part(const Json& object, const char* key) {
  static const Json empty = Json::object();
  const Json* found = member(object, key);
  return found && found->is_object() ? *found : empty;
}

bool dropped(const Json& object, const char* key) {
  const Json* json = member(object, key);
  return json && json->is_null();
}

MaybeDuration duration_or(const Json& object, const char* key, MaybeDuration fallback) {
  const Json* json = member(object, key);
  if (!json || json->is_null()) return fallback;
  const auto parsed = parse_duration(json->get_ref<const std::string&>());
  return parsed ? MaybeDuration(Duration(*parsed)) : std::nullopt;   // off
}

MaybeSize size_or(const Json& object, const char* key, MaybeSize fallback) {
  const Json* json = member(object, key);
  if (!json || json->is_null()) return fallback;
  if (json->is_number()) return json->get<uint64_t>();
  return parse_size(json->get_ref<const std::string&>());   // nothing for off
}

}   // namespace proxyd::config
