#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace proxyd::authentication {

// Passwords as files of users keep them: by crypt(3) (bcrypt, yescrypt, sha512-crypt, sha256-crypt, md5-crypt), and
// `{SHA}` of htpasswd. Any process; nothing suspends.

// Says why a hash is not taken: no such method here, not whole, or so dear that one look at it would hold a worker for
// long (bcrypt up to a cost of 12, 200,000 rounds of SHA, yescrypt up to 32 MiB). Never says the hash.
Result<void> check_hash(const std::string& hash);

// Whether it takes long to say, milliseconds rather than microseconds.
bool is_slow(std::string_view hash);

// Whether `hash`, which `check_hash` took, is that of `password`. Compared in constant time. A password that holds a
// NUL is never right: crypt(3) would not see what is behind it.
bool is_password(const std::string& password, const std::string& hash);

}   // namespace proxyd::authentication
