#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace proxyd::net {

class Stream;

// Kinds of pieces, as a set: what a sink takes.
enum class PieceKinds : uint8_t { kBytes = 1, kStored = 2, kSocket = 4 };
constexpr PieceKinds operator|(PieceKinds a, PieceKinds b) {
  return static_cast<PieceKinds>(static_cast<uint8_t>(a) | static_cast<uint8_t>(b));
}
constexpr bool holds(PieceKinds set, PieceKinds kind) {
  return (static_cast<uint8_t>(set) & static_cast<uint8_t>(kind)) != 0;
}

inline constexpr size_t kMostRanges = 16;   // of a piece, the first included

// A piece of content on its way from a source to a sink; a value that borrows. kBytes: octets in a buffer of the pool,
// valid until the source is asked again. kStored: ranges of a pinned stored response, valid as long as the pin; of
// these `more` follow the first, and a sink may take any part of them all. kSocket: octets that wait in a socket and
// can be spliced, at most `size` of them.
struct Piece {
  PieceKinds kind = PieceKinds::kBytes;
  const char* data = nullptr;   // kBytes, kStored
  Stream* socket = nullptr;     // kSocket
  uint64_t size = 0;
  std::span<const std::string_view> more;   // kStored

  static Piece bytes(std::string_view text) { return {PieceKinds::kBytes, text.data(), nullptr, text.size(), {}}; }
  static Piece waiting_in(Stream& socket, uint64_t size) { return {PieceKinds::kSocket, nullptr, &socket, size, {}}; }
};

}   // namespace proxyd::net
