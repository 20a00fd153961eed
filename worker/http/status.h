#pragma once

#include <string_view>

#include "worker/http/method.h"

namespace proxyd::http {

// The reason phrase of RFC 9110 15 and its registry; "Unknown" for what is not in it.
std::string_view reason_phrase(int status);

// Whether a response of that status to that method has content at all (RFC 9110 6.4.1); 101 opens a tunnel instead.
constexpr bool may_have_content(Method method, int status) {
  return method != Method::kHead && status >= 200 && status != 204 && status != 304;
}

}   // namespace proxyd::http
