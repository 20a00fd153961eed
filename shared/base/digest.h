#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace proxyd {

using Sha256 = std::array<uint8_t, 32>;

// SHA-256 of `data`, by OpenSSL.
Sha256 sha256(std::string_view data);

// Fills `out` from the kernel's generator. Aborts when the kernel has none: nothing safe could follow.
void random_bytes(std::span<uint8_t> out);

}   // namespace proxyd
