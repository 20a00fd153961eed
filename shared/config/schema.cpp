#include "shared/config/schema.h"

#include <algorithm>
#include <array>

#include "shared/base/bytes.h"

namespace proxyd::config {

const Key* ObjectType::find(std::string_view wanted) const {
  const auto found = std::find_if(keys.begin(), keys.end(), [wanted](const Key& key) { return key.name == wanted; });
  return found == keys.end() ? nullptr : &*found;
}

bool is_map_of_objects(std::string_view section) {
  constexpr std::array<std::string_view, 4> kOthers = {"version", "defaults", "cache", "logging"};
  return document_type().find(section) && std::find(kOthers.begin(), kOthers.end(), section) == kOthers.end();
}

namespace {

// How many letters must be changed, added or left out (Levenshtein), whatever their case.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (ascii_lower(a[i - 1]) == ascii_lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}   // namespace

std::string_view nearest(std::string_view wrong, const std::vector<std::string_view>& names) {
  if (wrong.size() > 64) return {};
  std::string_view best;
  size_t least = std::max<size_t>(2, wrong.size() / 3) + 1;
  for (const std::string_view name : names) {
    const size_t apart = distance(wrong, name);
    if (apart < least) {
      least = apart;
      best = name;
    }
  }
  return best;
}

}   // namespace proxyd::config
