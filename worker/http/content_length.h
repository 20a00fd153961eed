#pragma once

#include <cstdint>

#include "shared/base/result.h"
#include "worker/http/fields.h"
#include "worker/http/refusal.h"

namespace proxyd::http {

// The one Content-Length of a section that has at least one (RFC 9110 8.6), strictly: digits, once. 2^63 - 1 and more
// is too large.
Result<uint64_t, Refusal> content_length(const Fields& fields);

}   // namespace proxyd::http
