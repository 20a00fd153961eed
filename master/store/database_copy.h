#pragma once

#include <mutex>
#include <string>

#include "shared/base/result.h"

namespace Poco::Data {
class Session;
}

namespace proxyd::store {

// Copies a database into an empty file on a connection of its own, so that nobody waits for it. Owned by the store; one
// copy at a time, `give_up` from any thread.
class DatabaseCopy {
 public:
  // Blocks until it is whole, or given up.
  Result<void> make(const std::string& database, const std::string& file);
  void give_up();

 private:
  void note(Poco::Data::Session* connection);

  std::mutex mutex_;
  Poco::Data::Session* connection_ = nullptr;   // while it copies
};

}   // namespace proxyd::store
