#include "shared/authentication/key_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/authentication/strict_json.h"

namespace proxyd::authentication {

Result<KeySet> read_keys(std::string_view content) {
  const auto set = read_strict_object(content);
  if (!set || !set->contains("keys") || !set->at("keys").is_array())
    return Error{"it is no set of JSON Web Keys, or names a member twice"};
  if (set->at("keys").size() > kMostKeys) return Error{fmt::format("it has more than {} keys", kMostKeys)};
  KeySet keys;
  for (size_t number = 1; const nlohmann::json& json : set->at("keys")) {
    auto key = Key::read(json);
    if (!key) return Error{fmt::format("key {}: {}", number, key.error().message)};
    const auto is_same = [&key](const Key& other) {
      return other.id() == (*key)->id() && other.algorithm() == (*key)->algorithm();
    };
    const bool has_id = *key && !(*key)->id().empty();
    if (has_id && std::any_of(keys.begin(), keys.end(), is_same))
      return Error{fmt::format("key {}: an earlier one has its kid", number)};
    if (*key) keys.push_back(std::move(**key));
    ++number;
  }
  if (keys.empty()) return Error{"none of its keys is for RS256, ES256, HS256 or EdDSA"};
  return keys;
}

}   // namespace proxyd::authentication
