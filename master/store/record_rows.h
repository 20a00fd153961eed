#pragma once

#include <vector>

#include "master/store/store.h"

namespace Poco::Data {
class Session;
}

namespace proxyd::store {

// The rows of what was done: the audit and the purges. Called by the store under its mutex; POCO's exceptions go
// through.
void insert(Poco::Data::Session& session, AuditEntry entry);
std::vector<AuditEntry> select_audit(Poco::Data::Session& session, uint64_t before, size_t limit);

void insert(Poco::Data::Session& session, Purge purge);
std::vector<Purge> select_purges(Poco::Data::Session& session, uint64_t before, size_t limit);
// All but the newest.
void forget_purges(Poco::Data::Session& session, size_t but);

}   // namespace proxyd::store
