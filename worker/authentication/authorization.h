#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "worker/http/fields.h"

namespace proxyd::authentication {

// What a client says of itself by the field Authorization (RFC 9110 11.6.2). Engine code: views into the head.

inline constexpr size_t kLongestCredentials = 8192;

// What is behind the scheme (`Basic`, `Bearer`: whatever case) in the one line of Authorization; nothing when there is
// no such line or it is of another scheme. Null data and no text also when there are two lines, of which either could
// be meant, or more than 8 KiB.
std::string_view credentials_of(const http::Fields& fields, std::string_view scheme);

struct NameAndPassword {
  std::string name;
  std::string password;
};
// Of Basic (RFC 7617 2): base64 of name, colon, password, padding and all; nothing for what is none.
std::optional<NameAndPassword> read_basic(std::string_view credentials);

}   // namespace proxyd::authentication
