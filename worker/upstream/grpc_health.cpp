#include "worker/upstream/grpc_health.h"

#include <cstdint>

namespace proxyd::upstream {
namespace {

constexpr size_t kFrameHead = 5;   // compressed or not, and four octets of length
constexpr uint64_t kStatusField = 1;

// Takes a varint off the front; nothing where it is none.
std::optional<uint64_t> take_varint(std::string_view& text) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !text.empty(); shift += 7) {
    const auto octet = static_cast<uint8_t>(text.front());
    text.remove_prefix(1);
    value |= uint64_t{octet & 0x7Fu} << shift;
    if ((octet & 0x80) == 0) return value;
  }
  return std::nullopt;
}

std::string varint(uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>(value | 0x80);
  return text + static_cast<char>(value);
}

// Past a field's value of that wire type; false where it does not end.
bool skip(std::string_view& text, uint64_t wire_type) {
  size_t size = 0;
  if (wire_type == 0) return take_varint(text).has_value();
  if (wire_type == 1) size = 8;
  if (wire_type == 5) size = 4;
  if (wire_type == 2) {
    const auto length = take_varint(text);
    if (!length || *length > text.size()) return false;
    size = static_cast<size_t>(*length);
  }
  if (size > text.size() || wire_type == 3 || wire_type == 4 || wire_type > 5) return false;
  text.remove_prefix(size);
  return true;
}

}   // namespace

std::string grpc_health_request(std::string_view service) {
  const std::string message = service.empty() ? "" : "\x0A" + varint(service.size()) + std::string(service);
  const auto size = static_cast<uint32_t>(message.size());
  std::string frame(1, '\0');
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(size >> shift);
  return frame + message;
}

// The last value of a field counts; one that is absent is 0.
std::optional<uint64_t> grpc_health_status(std::string_view content) {
  if (content.size() < kFrameHead || content[0] != '\0') return std::nullopt;
  size_t size = 0;
  for (size_t i = 1; i < kFrameHead; ++i) size = size << 8 | static_cast<uint8_t>(content[i]);
  if (content.size() != kFrameHead + size) return std::nullopt;
  std::string_view message = content.substr(kFrameHead);
  uint64_t status = 0;
  while (!message.empty()) {
    const auto tag = take_varint(message);
    if (!tag) return std::nullopt;
    if (*tag >> 3 == kStatusField && (*tag & 7) == 0) {
      const auto value = take_varint(message);
      if (!value) return std::nullopt;
      status = *value;
    } else if (!skip(message, *tag & 7)) {
      return std::nullopt;
    }
  }
  return status;
}

}   // namespace proxyd::upstream
