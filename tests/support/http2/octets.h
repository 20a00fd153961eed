#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace proxyd::http2::octets {

// Frames by hand, as a client may write them whether it should or not.

inline constexpr std::string_view kMagic = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string number(uint64_t value, size_t size) {
  std::string text(size, '\0');
  for (size_t i = size; i-- > 0; value >>= 8) text[i] = static_cast<char>(value & 0xFF);
  return text;
}

inline std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload = {}) {
  return number(payload.size(), 3) + number(type, 1) + number(flags, 1) + number(stream, 4) + std::string(payload);
}

inline std::string from_hex(std::string_view hex) {
  std::string text;
  for (size_t at = 0; at + 1 < hex.size(); at += 2) {
    text += static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16));
  }
  return text;
}

// An integer of HPACK with a prefix of so many bits (RFC 7541 5.1).
inline std::string integer(uint8_t first, int bits, size_t value) {
  const size_t most = (size_t{1} << bits) - 1;
  if (value < most) return {static_cast<char>(first | value)};
  std::string text = {static_cast<char>(first | most)};
  for (value -= most; value >= 128; value >>= 7) text += static_cast<char>((value & 0x7F) | 0x80);
  return text + static_cast<char>(value);
}

// A field as a literal that no table keeps, without Huffman.
inline std::string field(std::string_view name, std::string_view value) {
  return std::string(1, '\0') + integer(0, 7, name.size()) + std::string(name) + integer(0, 7, value.size()) +
         std::string(value);
}

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string block(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += field(name, value);
  return text;
}

inline Fields get(const Fields& more = {}) {
  Fields fields = {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a.test"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

inline Fields post(const Fields& more = {}) {
  Fields fields = get(more);
  fields[0].second = "POST";
  return fields;
}

inline constexpr uint8_t kEndStream = 1, kEndHeaders = 4;

inline std::string headers(uint32_t stream, const Fields& fields, uint8_t flags = kEndStream | kEndHeaders) {
  return frame(1, flags, stream, block(fields));
}
inline std::string data(uint32_t stream, std::string_view content, bool end = false) {
  return frame(0, end ? kEndStream : 0, stream, content);
}
inline std::string settings(std::string_view entries = {}) { return frame(4, 0, 0, entries); }
inline std::string setting(uint16_t id, uint32_t value) { return number(id, 2) + number(value, 4); }
inline std::string reset(uint32_t stream, uint32_t code = 8) { return frame(3, 0, stream, number(code, 4)); }
inline std::string window_update(uint32_t stream, uint32_t increment) {
  return frame(8, 0, stream, number(increment, 4));
}
inline std::string hello() { return std::string(kMagic) + settings(); }

// One frame as it was sent.
struct Frame {
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream = 0;
  std::string payload;

  uint32_t word(size_t at = 0) const {
    uint32_t value = 0;
    for (size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<uint8_t>(payload.at(i));
    return value;
  }
};

// What is behind the last whole frame is left in `octets`.
inline std::vector<Frame> frames_of(std::string& octets) {
  std::vector<Frame> frames;
  const auto at = [&](size_t i) { return static_cast<uint8_t>(octets[i]); };
  while (octets.size() >= 9) {
    const size_t length = size_t{at(0)} << 16 | size_t{at(1)} << 8 | at(2);
    if (octets.size() < 9 + length) break;
    const uint32_t stream = (uint32_t{at(5)} << 24 | uint32_t{at(6)} << 16 | uint32_t{at(7)} << 8 | at(8)) & 0x7FFFFFFF;
    frames.push_back({at(3), at(4), stream, octets.substr(9, length)});
    octets.erase(0, 9 + length);
  }
  return frames;
}

}   // namespace proxyd::http2::octets
