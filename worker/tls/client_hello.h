#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace proxyd::tls {

// A host's name as a client asks for it, in lower case, without a final dot. A plain value: it outlives the hello.
class ServerName {
 public:
  static constexpr size_t kMost = 253;

  ServerName() = default;
  // Nothing for what can't be the name of a host (RFC 6066 3): empty, too long, an octet outside of it.
  static std::optional<ServerName> from(std::string_view text);

  std::string_view text() const { return {text_.data(), size_}; }
  bool empty() const { return size_ == 0; }

 private:
  std::array<char, kMost> text_{};
  uint8_t size_ = 0;
};

// The server_name extension of a ClientHello, its content without type and length (RFC 6066 3). An engine: no I/O, and
// nothing of OpenSSL's.
struct ServerNameExtension {
  enum class State : uint8_t { kName, kMalformed, kTwoNames, kBadName };
  State state = State::kMalformed;
  ServerName name;
};
ServerNameExtension read_server_name(std::span<const uint8_t> extension);

}   // namespace proxyd::tls
