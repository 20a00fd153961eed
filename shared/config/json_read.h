#pragma once

#include <optional>

#include "shared/config/decode.h"
#include "shared/config/model.h"

namespace proxyd::config {

// Readers of one key of canonical JSON. What is absent or null is nothing: the caller keeps the value it has, which is
// the default or what was inherited. Values were checked by `canonicalize`.

inline const Json* member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// The object at `key`, or an empty one.
const Json& part(const Json& object, const char* key);

// Whether null stands there, which drops what is inherited.
bool dropped(const Json& object, const char* key);

template <class T>
T value_or(const Json& object, const char* key, T fallback) {
  const Json* json = member(object, key);
  return json && !json->is_null() ? json->get<T>() : fallback;
}

template <class T>
std::optional<T> maybe(const Json& object, const char* key) {
  const Json* json = member(object, key);
  return json && !json->is_null() ? std::optional(json->get<T>()) : std::nullopt;
}

MaybeDuration duration_or(const Json& object, const char* key, MaybeDuration fallback);
// A size, or a count.
MaybeSize size_or(const Json& object, const char* key, MaybeSize fallback);

}   // namespace proxyd::config
