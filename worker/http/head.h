#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "worker/http/authority.h"
#include "worker/http/fields.h"
#include "worker/http/method.h"
#include "worker/http/target.h"

namespace proxyd::http {

enum class Version : uint8_t { kHttp10, kHttp11, kHttp2 };
enum class Scheme : uint8_t { kHttp, kHttps };

constexpr std::string_view to_string(Version version) {
  switch (version) {
    case Version::kHttp10: return "HTTP/1.0";
    case Version::kHttp11: return "HTTP/1.1";
    case Version::kHttp2: return "HTTP/2.0";
  }
  return "";
}
constexpr std::string_view to_string(Scheme scheme) { return scheme == Scheme::kHttps ? "https" : "http"; }
constexpr uint16_t default_port(Scheme scheme) { return scheme == Scheme::kHttps ? 443 : 80; }

// How much content follows a head, whatever the protocol says it with. kUntilClose: only a response's (RFC 9112 6.3).
// kTunnel: the content has no end on either side (101, a successful CONNECT).
struct ContentLength {
  enum class Kind : uint8_t { kNone, kKnown, kUnknown, kUntilClose, kTunnel };
  Kind kind = Kind::kNone;
  uint64_t bytes = 0;   // for kKnown

  bool is_empty() const { return kind == Kind::kNone || (kind == Kind::kKnown && bytes == 0); }
};

// What the Connection fields of a head name (RFC 9110 7.6.1). Only HTTP/1 has them.
struct ConnectionOptions {
  static constexpr uint16_t kMostOtherFields = 64;   // a head with more is refused: looking for them would take long

  uint64_t fields = 0;   // bits of the field names that we know
  bool close = false;
  uint16_t other_fields = 0;   // names that we don't know, each of which has to be looked for

  bool names(FieldName name) const { return (fields & bit_of(name)) != 0; }
};

// How large a head was as it was received, in octets and field lines, and where it began: for limits.
struct HeadSize {
  size_t start = 0;     // of the request line, behind what empty lines came first
  size_t line = 0;      // the request line without its end
  size_t section = 0;   // the field lines with their ends, and the empty line
  size_t field_lines = 0;
};

// A request as every protocol gives it: parsed once and checked. Framing is read into `content`; the section keeps its
// fields, which whoever forwards leaves out. A value of one exchange; all views live in its buffer and arena.
struct RequestHead {
  explicit RequestHead(Arena& arena) : fields(arena) {}

  Method method = Method::kOther;
  std::string_view method_text;
  Version version = Version::kHttp11;
  Scheme scheme = Scheme::kHttp;   // of the connection
  Target target;
  Authority authority;   // host empty only in HTTP/1.0 without Host
  Fields fields;
  ContentLength content;
  ConnectionOptions connection;
  HeadSize size;
  bool expects_continue = false;
  bool wants_websocket = false;   // Upgrade: websocket, or extended CONNECT
};

// A response, final or interim.
struct ResponseHead {
  explicit ResponseHead(Arena& arena) : fields(arena) {}

  int status = 0;
  std::string_view reason;   // as sent; HTTP/1 only
  Version version = Version::kHttp11;
  Fields fields;
  ContentLength content;
  ConnectionOptions connection;

  bool is_interim() const { return status < 200 && status != 101; }
};

}   // namespace proxyd::http
