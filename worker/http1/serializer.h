#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "shared/base/bytes.h"
#include "worker/http/head.h"

namespace proxyd::http1 {

// Writes message heads and chunk framing into a buffer of fixed size. What does not fit sets `overflowed`, and nothing
// of it may be sent. A value over memory that the caller owns. Engine code.
class Serializer {
 public:
  Serializer(char* begin, size_t capacity) : begin_(begin), at_(begin), end_(begin + capacity) {}

  // "GET /path HTTP/1.1", Host, the fields, the framing field, and the empty line (RFC 9112 3).
  void request_head(std::string_view method, std::string_view target, std::string_view host, const http::Fields& fields,
                    const http::ContentLength& content);

  struct ResponseOptions {
    http::Version downstream = http::Version::kHttp11;
    bool keep_alive = true;
    bool upgrade_websocket = false;   // with 101
    bool framing = true;              // false: no framing field (the answer has none of its own: 1xx, 101, 204)
    std::span<const std::string_view> lines;   // that are ready, before the fields
  };
  // Status line, fields, framing field, Connection where it is due, and the empty line (RFC 9112 4, 9.6).
  void response_head(int status, std::string_view reason, const http::Fields* fields,
                     const http::ContentLength& content, const ResponseOptions& options);

  void chunk_start(uint64_t octets);               // "1a\r\n"
  void last_chunk(const http::Fields* trailers);   // "0\r\n", trailers, "\r\n"
  void field_lines(const http::Fields& fields);
  // One text behind the other, or none of them.
  template <class... Texts>
  [[gnu::always_inline]] void append(const Texts&... texts) {
    if ((std::string_view(texts).size() + ...) > static_cast<size_t>(end_ - at_)) [[unlikely]] {
      overflowed_ = true;
      return;
    }
    char* at = at_;
    ((at = put_octets(at, std::string_view(texts))), ...);
    at_ = at;
  }

  std::string_view text() const { return {begin_, static_cast<size_t>(at_ - begin_)}; }
  size_t size() const { return static_cast<size_t>(at_ - begin_); }
  bool overflowed() const { return overflowed_; }

 private:
  void ready_lines(std::span<const std::string_view> all);
  void framing_field(const http::ContentLength& content);

  char* begin_;
  char* at_;
  char* end_;
  bool overflowed_ = false;
};

}   // namespace proxyd::http1
