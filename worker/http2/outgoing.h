#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "worker/http/fields.h"
#include "worker/http/head.h"

namespace proxyd::http2 {

// A response's head, to be sent. Names are put into lower case, fields of a connection and those with an octet that no
// value may hold are left out, Content-Length is made from `content` when its length is known.
struct OutgoingResponse {
  int status = 0;
  std::span<const std::string_view> lines;   // "Name: value\r\n", any number in each text; before `fields`
  const http::Fields* fields = nullptr;
  http::ContentLength content;
};

// A request's. Host, if it is among the fields, is left out for `authority`; TE goes when it says "trailers".
struct OutgoingRequest {
  std::string_view method;
  std::string_view scheme;
  std::string_view authority;
  std::string_view path;       // with the query; "*" for OPTIONS
  std::string_view protocol;   // of an extended CONNECT (RFC 8441), else empty
  const http::Fields* fields = nullptr;
  http::ContentLength content;
};

// What became of an offer.
struct Taken {
  enum class Stop : uint8_t {
    kNone,     // all went
    kRoom,     // there was no more room
    kWindow,   // the peer takes no more at the moment: News::kRoom will come
    kGone,     // the stream is reset, closed, or its end has gone before
  };

  size_t octets = 0;    // of the pieces, counted from the first
  bool ended = false;   // the end went out too
  Stop stop = Stop::kNone;
};

}   // namespace proxyd::http2
