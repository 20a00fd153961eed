#include "master/store/member_rows.h"

#include <Poco/Data/Session.h>
#include <Poco/Data/Statement.h>

namespace proxyd::store {

using namespace Poco::Data::Keywords;
using Poco::Data::Session;
using Poco::Data::Statement;

std::vector<DynamicTarget> select_members(Session& session) {
  std::vector<std::string> upstreams, ids, targets, authors, created;
  std::vector<Poco::Int64> leases;
  std::vector<Poco::UInt64> versions;
  std::vector<int> leaving;
  session << "SELECT upstream, id, target, lease_ms, version, author, created, leaving FROM dynamic_targets "
             "ORDER BY upstream, id",
      into(upstreams), into(ids), into(targets), into(leases), into(versions), into(authors), into(created),
      into(leaving), now;
  std::vector<DynamicTarget> all;
  for (size_t i = 0; i < ids.size(); ++i)
    all.push_back({upstreams[i], ids[i], targets[i], leases[i], versions[i], authors[i], created[i], leaving[i] != 0});
  return all;
}

void insert(Session& session, DynamicTarget one) {
  Poco::Int64 lease = one.lease_ms;
  Poco::UInt64 version = one.version;
  int leaving = one.leaving ? 1 : 0;
  session << "INSERT OR REPLACE INTO dynamic_targets VALUES (?, ?, ?, ?, ?, ?, ?, ?)", use(one.upstream), use(one.id),
      use(one.target), use(lease), use(version), use(one.author), use(one.created), use(leaving), now;
}

void erase_member(Session& session, std::string upstream, std::string id) {
  session << "DELETE FROM dynamic_targets WHERE upstream = ? AND id = ?", use(upstream), use(id), now;
}

void erase_members(Session& session, std::string upstream) {
  session << "DELETE FROM dynamic_targets WHERE upstream = ?", use(upstream), now;
}

}   // namespace proxyd::store
