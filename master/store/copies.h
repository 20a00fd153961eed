#pragma once

#include <string>
#include <vector>

#include "shared/base/result.h"

namespace proxyd::store {

// The last good copies of the database, `backup-0.db` to `backup-2.db` in the state folder, mode 0600. A value, owned
// by the store; says where they are and puts them in place, durably. Fails with the file and the reason.
class Copies {
 public:
  explicit Copies(std::string folder) : folder_(std::move(folder)) {}

  std::vector<std::string> newest_first() const;
  // An empty file to write the next copy into, and the end of that: it takes the place of the oldest one.
  Result<std::string> begin() const;
  Result<void> finish(const std::string& written) const;
  // `copy` as `database`, which is not there.
  static Result<void> restore(const std::string& copy, const std::string& database);

 private:
  std::string folder_;
};

}   // namespace proxyd::store
