#include "master/store/override_rows.h"

#include <Poco/Data/Session.h>
#include <Poco/Data/Statement.h>

namespace proxyd::store {

using namespace Poco::Data::Keywords;
using Poco::Data::Session;
using Poco::Data::Statement;

std::vector<Override> select_overrides(Session& session) {
  std::vector<std::string> subjects, kinds, values, owners, reasons, created, expires;
  session << "SELECT subject, kind, value, owner, reason, created, expires FROM overrides ORDER BY subject",
      into(subjects), into(kinds), into(values), into(owners), into(reasons), into(created), into(expires), now;
  std::vector<Override> all;
  for (size_t i = 0; i < subjects.size(); ++i)
    all.push_back({subjects[i], kinds[i], values[i], owners[i], reasons[i], created[i], expires[i]});
  return all;
}

void insert(Session& session, Override one) {
  session << "INSERT OR REPLACE INTO overrides VALUES (?, ?, ?, ?, ?, ?, ?)", use(one.subject), use(one.kind),
      use(one.value), use(one.owner), use(one.reason), use(one.created), use(one.expires), now;
}

bool erase_override(Session& session, std::string subject) {
  Statement statement(session);
  return (statement << "DELETE FROM overrides WHERE subject = ?", use(subject)).execute() > 0;
}

}   // namespace proxyd::store
