#pragma once

#include <cstdint>

namespace proxyd::http2 {

// What has happened to a stream since its owner looked last: a set.
enum class News : uint16_t {
  kNone = 0,
  kHead = 1,       // a request's head, or a final response's; `refusal` may say that it is none
  kInterim = 2,    // interim responses wait to be taken
  kContent = 4,    // octets have arrived
  kEnd = 8,        // nothing more comes; trailers, if there are any, are complete
  kRoom = 16,      // the peer's window, which had stopped content, is open again
  kReset = 32,     // by the peer, by us for what the peer sent, or by the end of the connection; see `reset_code`
  kUnsent = 64,    // … and the peer has not looked at the request, which may be sent again (client)
  kClosed = 128,   // both directions have ended, one way or the other: nothing more will happen
};

constexpr News operator|(News a, News b) {
  return static_cast<News>(static_cast<uint16_t>(a) | static_cast<uint16_t>(b));
}
constexpr News without(News set, News one) {
  return static_cast<News>(static_cast<uint16_t>(set) & ~static_cast<uint16_t>(one));
}
constexpr bool holds(News set, News one) { return (static_cast<uint16_t>(set) & static_cast<uint16_t>(one)) != 0; }

}   // namespace proxyd::http2
