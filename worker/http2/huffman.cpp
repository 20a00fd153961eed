#include "worker/http2/huffman.h"

#include <array>
#include <cstdint>

namespace proxyd::http2 {
namespace {

// How many bits each octet takes, and EOS last (RFC 7541 B). The codes follow from them: they are in the order of
// lengths, and of octets among those of a length.
constexpr size_t kSymbols = 257;
constexpr std::array<uint8_t, kSymbols> kLengths = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,  5,  5,  5,  6,  6,  6,  6,  6,  6,  6,
    7,  8,  15, 6,  12, 10, 13, 6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
    7,  8,  7,  8,  13, 19, 13, 14, 6,  15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,
    5,  6,  7,  7,  7,  7,  7,  15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24,
    24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22,
    23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26,
    27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23,
    22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30};
constexpr uint8_t kLongest = 30;
constexpr uint16_t kEos = 256;

// The tree of the codes: for each inner node what follows a 0 and a 1, another node or a symbol.
struct Tree {
  static constexpr uint16_t kLeaf = 0x8000;
  std::array<std::array<uint16_t, 2>, kSymbols> next{};
  std::array<bool, kSymbols> all_ones{};   // reached by fewer than eight ones: padding may end here
};

constexpr Tree make_tree() {
  Tree tree;
  uint16_t nodes = 1;   // 0 is the root
  uint32_t code = 0;
  for (uint8_t length = 1; length <= kLongest; ++length) {
    code <<= 1;
    for (uint16_t symbol = 0; symbol < kSymbols; ++symbol) {
      if (kLengths[symbol] != length) continue;
      uint16_t at = 0;
      for (int bit = length - 1; bit > 0; --bit) {
        uint16_t& next = tree.next[at][code >> bit & 1];
        if (next == 0) next = nodes++;
        at = next;
      }
      tree.next[at][code & 1] = static_cast<uint16_t>(Tree::kLeaf | symbol);
      ++code;
    }
  }
  uint16_t at = 0;
  for (int ones = 0; ones < 8; ++ones) {
    tree.all_ones[at] = true;
    at = tree.next[at][1];
  }
  return tree;
}

// Four bits at a time, of which at most one symbol comes, for none has fewer than five.
struct Step {
  uint8_t node = 0;
  uint8_t symbol = 0;
  bool emits = false;
  bool fails = false;
};

constexpr Tree kTree = make_tree();
constexpr size_t kNodes = kSymbols - 1;

constexpr std::array<std::array<Step, 16>, kNodes> make_steps() {
  std::array<std::array<Step, 16>, kNodes> steps{};
  for (uint16_t node = 0; node < kNodes; ++node) {
    for (unsigned nibble = 0; nibble < 16; ++nibble) {
      Step step;
      uint16_t at = node;
      for (int bit = 3; bit >= 0; --bit) {
        at = kTree.next[at][nibble >> bit & 1];
        if ((at & Tree::kLeaf) == 0) continue;
        const auto symbol = static_cast<uint16_t>(at & ~Tree::kLeaf);
        step.fails = step.fails || symbol == kEos;
        step.emits = true;
        step.symbol = static_cast<uint8_t>(symbol);
        at = 0;
      }
      step.node = static_cast<uint8_t>(at);
      steps[node][nibble] = step;
    }
  }
  return steps;
}

constexpr std::array<std::array<Step, 16>, kNodes> kSteps = make_steps();

}   // namespace

size_t decode_huffman(std::string_view text, char* to) {
  char* const begin = to;
  uint8_t node = 0;
  for (const char c : text) {
    const auto octet = static_cast<uint8_t>(c);
    const Step& high = kSteps[node][octet >> 4];
    *to = static_cast<char>(high.symbol);
    to += high.emits ? 1 : 0;
    const Step& low = kSteps[high.node][octet & 15];
    *to = static_cast<char>(low.symbol);
    to += low.emits ? 1 : 0;
    if (high.fails || low.fails) return kNoHuffman;
    node = low.node;
  }
  return kTree.all_ones[node] ? static_cast<size_t>(to - begin) : kNoHuffman;
}

}   // namespace proxyd::http2
