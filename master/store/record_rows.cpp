#include "master/store/record_rows.h"

#include <Poco/Data/Session.h>
#include <Poco/Data/Statement.h>

namespace proxyd::store {

using namespace Poco::Data::Keywords;
using Poco::Data::Session;
using Poco::Data::Statement;

void insert(Session& session, AuditEntry entry) {
  session << "INSERT INTO audit (time, author, action, status, detail) VALUES (?, ?, ?, ?, ?)", use(entry.time),
      use(entry.author), use(entry.action), use(entry.status), use(entry.detail), now;
}

std::vector<AuditEntry> select_audit(Session& session, uint64_t before, size_t limit) {
  Poco::UInt64 below = before == 0 ? INT64_MAX : before;
  std::vector<Poco::UInt64> numbers;
  std::vector<std::string> times, authors, actions, details;
  std::vector<int> statuses;
  Statement select(session);
  select
      << "SELECT number, time, author, action, status, detail FROM audit WHERE number < ? ORDER BY number DESC LIMIT "
      << limit,
      use(below), into(numbers), into(times), into(authors), into(actions), into(statuses), into(details), now;
  std::vector<AuditEntry> all;
  for (size_t i = 0; i < numbers.size(); ++i)
    all.push_back({numbers[i], times[i], authors[i], actions[i], statuses[i], details[i]});
  return all;
}

void insert(Session& session, Purge purge) {
  Poco::UInt64 id = purge.id;
  session << "INSERT OR REPLACE INTO purges VALUES (?, ?, ?, ?, ?, ?)", use(id), use(purge.time), use(purge.author),
      use(purge.mode), use(purge.subjects), use(purge.reason), now;
}

std::vector<Purge> select_purges(Session& session, uint64_t before, size_t limit) {
  Poco::UInt64 below = before == 0 ? INT64_MAX : before;
  std::vector<Poco::UInt64> ids;
  std::vector<std::string> times, authors, modes, subjects, reasons;
  Statement select(session);
  select << "SELECT id, time, author, mode, subjects, reason FROM purges WHERE id < ? ORDER BY id DESC LIMIT " << limit,
      use(below), into(ids), into(times), into(authors), into(modes), into(subjects), into(reasons), now;
  std::vector<Purge> all;
  for (size_t i = 0; i < ids.size(); ++i)
    all.push_back({ids[i], times[i], authors[i], modes[i], subjects[i], reasons[i]});
  return all;
}

void forget_purges(Session& session, size_t but) {
  session << "DELETE FROM purges WHERE id <= (SELECT id FROM purges ORDER BY id DESC LIMIT 1 OFFSET " << but << ")",
      now;
}

}   // namespace proxyd::store
