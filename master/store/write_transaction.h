#pragma once

#include <Poco/Data/Session.h>
#include <Poco/Data/Statement.h>
#include <Poco/Exception.h>

namespace proxyd::store {

// Whole or not at all: what is written between here and `commit`, else undone. Not POCO's own, which believes for good
// that it is under way when SQLite has rolled back by itself (a full disk), and then refuses every later one. Lives on
// the stack of one call of the store. The constructor throws when another process holds the lock.
class WriteTransaction {
 public:
  explicit WriteTransaction(Poco::Data::Session& session) : session_(session) { run("BEGIN IMMEDIATE"); }
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  ~WriteTransaction() {
    if (committed_) return;
    try {
      run("ROLLBACK");
    } catch (const Poco::Exception&) {   // rolled back already
    }
  }

  void commit() {
    run("COMMIT");
    committed_ = true;
  }

 private:
  void run(const char* sql) {
    Poco::Data::Statement statement(session_);
    statement << sql, Poco::Data::Keywords::now;
  }

  Poco::Data::Session& session_;
  bool committed_ = false;
};

}   // namespace proxyd::store
