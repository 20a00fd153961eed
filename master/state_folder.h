#pragma once

#include <string>

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

namespace proxyd::master {

// The folders of one proxyd, made where they are missing, and the lock that keeps a second one out as long as this
// lives. The lock file holds the pid. Owned by the master, which opens it before anything that lies there.
class StateFolder {
 public:
  struct Refusal {
    bool in_use = false;   // by another proxyd, which `message` names
    std::string message;
  };
  static Result<StateFolder, Refusal> open(const std::string& state_dir, const std::string& run_dir);

 private:
  explicit StateFolder(UniqueFd lock) : lock_(std::move(lock)) {}
  UniqueFd lock_;
};

}   // namespace proxyd::master
