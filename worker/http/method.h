#pragma once

#include <cstdint>
#include <string_view>

namespace proxyd::http {

// Request methods (RFC 9110 9, RFC 5789). They are case-sensitive; one we do not know is kOther and goes through under
// its own name.
enum class Method : uint8_t { kGet, kHead, kPost, kPut, kDelete, kConnect, kOptions, kTrace, kPatch, kPurge, kOther };

Method method_from(std::string_view text);

}   // namespace proxyd::http
