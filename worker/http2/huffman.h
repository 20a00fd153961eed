#pragma once

#include <cstddef>
#include <string_view>

namespace proxyd::http2 {

// Decodes a Huffman-coded string of HPACK (RFC 7541 5.2, B) to `to`, which has room for `text.size() * 2` octets, the
// most there can be. Gives how many there are, or kNoHuffman for what is none: EOS, or padding that is not the
// beginning of it or longer than seven bits.
inline constexpr size_t kNoHuffman = SIZE_MAX;
size_t decode_huffman(std::string_view text, char* to);

}   // namespace proxyd::http2
