#pragma once

#include <string_view>

#include "shared/authentication/users.h"
#include "worker/authentication/answer.h"

namespace proxyd::authentication {

// Checks names and passwords by the file of one `basic` (RFC 7617). Immutable; part of a requirement. Takes long where
// `is_slow`: as long as the hash of a user was made to take.
class PasswordCheck {
 public:
  explicit PasswordCheck(Users users);

  bool is_slow() const { return slow_; }
  Answer check(std::string_view credentials) const;

 private:
  Users users_;
  bool slow_;
};

}   // namespace proxyd::authentication
