#pragma once

#include <cstdint>

namespace proxyd::http {

// What becomes of a field whose name has an underscore: gateways that make variables of names take it for a hyphen, so
// that it could pass for another field (CWE-444).
enum class Underscore : uint8_t { kReject, kDrop, kPass };

}   // namespace proxyd::http
