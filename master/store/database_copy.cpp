#include "master/store/database_copy.h"

#include <Poco/Data/SQLite/Utility.h>
#include <Poco/Data/Session.h>
#include <Poco/Exception.h>
#include <sqlite3.h>

namespace proxyd::store {

void DatabaseCopy::note(Poco::Data::Session* connection) {
  const std::lock_guard lock(mutex_);
  connection_ = connection;
}

Result<void> DatabaseCopy::make(const std::string& database, const std::string& file) {
  using namespace Poco::Data::Keywords;
  try {
    Poco::Data::Session connection("SQLite", database, 5);
    note(&connection);
    std::string target = file;
    std::string fault;
    try {
      connection << "VACUUM INTO ?", use(target), now;
    } catch (const Poco::Exception& error) {
      fault = error.displayText();
    }
    note(nullptr);
    if (fault.empty()) return {};
    return Error{fault};
  } catch (const Poco::Exception& error) {
    return Error{error.displayText()};
  }
}

void DatabaseCopy::give_up() {
  const std::lock_guard lock(mutex_);
  if (connection_) ::sqlite3_interrupt(Poco::Data::SQLite::Utility::dbHandle(*connection_));
}

}   // namespace proxyd::store
