#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "worker/http/arena.h"
#include "worker/http/fields.h"

namespace proxyd::http2 {

// The fields of a head or of trailers as nghttp2 takes them (RFC 9113 8.2): names in lower case, nothing that belongs
// to a connection, no value that would be malformed. Texts are copied into the arena, but for names that we know. Lies
// on the stack of who submits it.
class HeaderList {
 public:
  static constexpr size_t kMostOctets = 56 * 1024;   // of names and values; nghttp2 sends blocks of 64 KiB at most

  // `unwanted`: bits of names that are left out beside those of connections.
  HeaderList(http::Arena& arena, uint64_t unwanted) : arena_(arena), unwanted_(unwanted) {}
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  // Both live as long as the arena, and are as they should be.
  void add_ready(std::string_view name, std::string_view value);
  void add(http::FieldName known, std::string_view name, std::string_view value);
  void add(const http::Fields& fields);
  // "Name: value\r\n", any number of them.
  void add_lines(std::string_view lines);

  const nghttp2_nv* data() const { return list_; }
  size_t size() const { return size_; }
  bool too_large() const { return octets_ > kMostOctets; }

 private:
  void grow();

  http::Arena& arena_;
  uint64_t unwanted_;
  std::array<nghttp2_nv, 32> inline_;
  nghttp2_nv* list_ = inline_.data();
  size_t size_ = 0;
  size_t capacity_ = inline_.size();
  size_t octets_ = 0;
};

}   // namespace proxyd::http2
