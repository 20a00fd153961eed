#pragma once

#include <Poco/Data/Session.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "master/store/store.h"

namespace proxyd::store {

// The tables `revisions` and `object_versions`, read and written within the caller's session; they throw what POCO
// throws.

// At most `limit`, newest first, of those for which `where` holds with `argument` in place of its question mark.
std::vector<Revision> select_revisions(Poco::Data::Session& session, const std::string& where, uint64_t argument,
                                       size_t limit, bool documents);
std::optional<Revision> first_of(std::vector<Revision> revisions);

ObjectVersions known_versions(Poco::Data::Session& session);
// Only what differs from `known` is written.
void store_versions(Poco::Data::Session& session, const ObjectVersions& versions, const ObjectVersions& known);

}   // namespace proxyd::store
