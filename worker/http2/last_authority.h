#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "shared/base/result.h"
#include "worker/http/authority.h"

namespace proxyd::http2 {

// The :authority of the request before, which on one connection is nearly always that of the next: read once. State of
// a session.
class LastAuthority {
 public:
  Result<http::Authority, http::Refusal> parse(std::string_view text, http::Arena& arena) {
    if (size_ > 0 && text == std::string_view(text_.data(), size_)) {
      return http::Authority{text.substr(0, host_size_), port_, with_port_ ? text : std::string_view()};
    }
    auto authority = http::parse_authority(text, arena);
    if (authority) remember(text, *authority);
    return authority;
  }

 private:
  // When its host is a part of the text as it stands.
  void remember(std::string_view text, const http::Authority& authority) {
    if (text.size() > text_.size() || authority.host.data() != text.data()) return;
    text.copy(text_.data(), text.size());
    size_ = text.size();
    host_size_ = authority.host.size();
    port_ = authority.port;
    with_port_ = !authority.with_port.empty();
  }

  std::array<char, 64> text_;
  size_t size_ = 0;
  size_t host_size_ = 0;
  uint16_t port_ = 0;
  bool with_port_ = false;
};

}   // namespace proxyd::http2
