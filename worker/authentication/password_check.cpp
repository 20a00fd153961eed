#include "worker/authentication/password_check.h"

#include <algorithm>

#include "shared/authentication/password.h"
#include "worker/authentication/authorization.h"

namespace proxyd::authentication {
namespace {

constexpr milliseconds kRightLasts = std::chrono::hours(1);   // another file has other digests at once
constexpr milliseconds kWrongLasts = std::chrono::minutes(1);

}   // namespace

PasswordCheck::PasswordCheck(Users users)
    : users_(std::move(users)), slow_(std::any_of(users_.begin(), users_.end(), [](const auto& user) {
        return authentication::is_slow(user.second);
      })) {}

// Who is not in the file costs as much as somebody who is, so that the time does not tell which names there are.
Answer PasswordCheck::check(std::string_view credentials) const {
  const auto pair = read_basic(credentials);
  if (!pair || users_.empty()) return {};
  const auto user = users_.find(pair->name);
  const bool known = user != users_.end();
  const bool right = is_password(pair->password, known ? user->second : users_.begin()->second) && known;
  return {right, right ? kRightLasts : kWrongLasts};
}

}   // namespace proxyd::authentication
