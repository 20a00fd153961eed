#include "master/admin/provenance.h"

#include <vector>

#include "shared/config/schema.h"

namespace proxyd::admin {
namespace {

constexpr int kMostRevisions = 500;
constexpr size_t kMostOctets = 64 * 1024 * 1024;

Json to_json(const store::Revision& revision) {
  return {{"by", revision.author}, {"at", revision.created}, {"revision", revision.number}};
}

bool is_section_of_objects(const std::string& pointer) {
  return pointer.starts_with('/') && config::is_map_of_objects(std::string_view(pointer).substr(1));
}

// Where something is in a document, by names: items of a list by theirs, since their numbers change.
using Place = std::vector<std::string>;

Place place_of(const Json& document, Json::json_pointer pointer) {
  Place place;
  for (; !pointer.empty(); pointer.pop_back()) {
    const bool item = document.contains(pointer) && document[pointer.parent_pointer()].is_array();
    place.push_back(item ? document[pointer].value("name", pointer.back()) : pointer.back());
  }
  std::reverse(place.begin(), place.end());
  return place;
}

bool has(const Json& document, const Place& place) {
  const Json* at = &document;
  for (const std::string& step : place) {
    const auto is_it = [&step](const Json& item) { return item.is_object() && item.value("name", "") == step; };
    const auto found = at->is_array()    ? std::find_if(at->begin(), at->end(), is_it)
                       : at->is_object() ? at->find(step)
                                         : at->end();
    if (found == at->end()) return false;
    at = &*found;
  }
  return true;
}

// Something that would go, and where in the answer its origin belongs.
struct Removed {
  Place document;
  Json::json_pointer answer;
};

std::vector<Removed> removed_by(const Json& changes, const Json& document) {
  std::vector<Removed> all;
  for (size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].value("op", "") != "remove") continue;
    const std::string pointer = changes[i].value("pointer", "");
    const Place place = place_of(document, Json::json_pointer(pointer));
    const Json::json_pointer answer = Json::json_pointer() / i;
    all.push_back({place, answer / "added"});
    if (!is_section_of_objects(pointer)) continue;
    for (const auto& [name, object] : changes[i]["from"].items())
      all.push_back({{place.front(), name}, answer / "objects" / name});
  }
  return all;
}

}   // namespace

Json with_provenance(Json changes, Context& context) {
  for (Json& change : changes) {   // an object before any name is put into it: "0" is a name too
    if (change.value("op", "") == "remove" && is_section_of_objects(change.value("pointer", "")))
      change["objects"] = Json::object();
  }
  const auto active = context.master.configuration().active();
  if (!active) return changes;
  std::vector<Removed> wanted = removed_by(changes, active->canonical);
  store::Revision younger = active->revision;
  size_t octets = 0;
  for (int looked = 0; !wanted.empty() && looked < kMostRevisions && octets < kMostOctets; ++looked) {
    auto read = younger.parent == 0 ? store::Outcome<std::optional<store::Revision>>(std::nullopt)
                                    : context.master.store().read_revision(younger.parent);
    if (!read) break;
    const Json older = *read ? Json::parse((*read)->canonical, nullptr, false) : Json::object();
    octets += *read ? (*read)->canonical.size() : 0;
    std::erase_if(wanted, [&](const Removed& one) {
      if (has(older, one.document)) return false;
      changes[one.answer] = to_json(younger);
      return true;
    });
    if (!*read) break;
    younger = std::move(**read);
  }
  return changes;
}

}   // namespace proxyd::admin
