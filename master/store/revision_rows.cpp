#include "master/store/revision_rows.h"

#include <Poco/Data/Statement.h>

namespace proxyd::store {

using namespace Poco::Data::Keywords;
using Poco::Data::Session;
using Poco::Data::Statement;

std::vector<Revision> select_revisions(Session& session, const std::string& where, uint64_t argument, size_t limit,
                                       bool documents) {
  std::vector<Poco::UInt64> numbers, parents;
  std::vector<std::string> created, authors, origins, messages, canonicals, sources;
  std::vector<int> active;
  Poco::UInt64 bound = argument;
  Statement select(session);
  select << "SELECT number, parent, created, author, origin, message, " << (documents ? "canonical, source" : "'', ''")
         << ", active FROM revisions WHERE " << where << " ORDER BY number DESC LIMIT " << limit,
      into(numbers), into(parents), into(created), into(authors), into(origins), into(messages), into(canonicals),
      into(sources), into(active), use(bound), now;
  std::vector<Revision> revisions;
  for (size_t i = 0; i < numbers.size(); ++i) {
    revisions.push_back({numbers[i], parents[i], created[i], authors[i], origins[i], messages[i], canonicals[i],
                         sources[i], active[i] == 1});
  }
  return revisions;
}

ObjectVersions known_versions(Session& session) {
  std::vector<std::string> objects;
  std::vector<Poco::UInt64> revisions;
  session << "SELECT object, revision FROM object_versions", into(objects), into(revisions), now;
  ObjectVersions versions;
  for (size_t i = 0; i < objects.size(); ++i) versions[objects[i]] = revisions[i];
  return versions;
}

void store_versions(Session& session, const ObjectVersions& versions, const ObjectVersions& known) {
  for (const auto& [object, revision] : known) {
    std::string gone = object;
    if (!versions.contains(object)) session << "DELETE FROM object_versions WHERE object = ?", use(gone), now;
  }
  for (const auto& [object, revision] : versions) {
    const auto old = known.find(object);
    if (old != known.end() && old->second == revision) continue;
    std::string changed = object;
    Poco::UInt64 number = revision;
    session << "INSERT OR REPLACE INTO object_versions VALUES (?, ?)", use(changed), use(number), now;
  }
}

std::optional<Revision> first_of(std::vector<Revision> revisions) {
  if (revisions.empty()) return std::nullopt;
  return std::move(revisions.front());
}

}   // namespace proxyd::store
