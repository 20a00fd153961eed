#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace proxyd::authentication {

// Who may come with a password: name → hash, of a file as htpasswd makes it. A line each, `name:hash`; empty lines and
// those that begin with # say nothing. Immutable once read; any process.
using Users = std::map<std::string, std::string, std::less<>>;

inline constexpr size_t kMostUsersFile = 4 << 20;
inline constexpr size_t kMostUsers = 20'000;

// Fails naming the line and what is wrong with it, never what it holds: no name, a name of more than 255 octets or
// with control characters in it or that is no UTF-8, a name that an earlier line has, a hash that is not taken (see
// check_hash), or nobody at all.
Result<Users> read_users(std::string_view content);

}   // namespace proxyd::authentication
