#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "worker/http2/header_table.h"
#include "worker/http2/memory.h"

namespace proxyd::http2 {

// Takes header blocks of HPACK apart (RFC 7541), one field after the other, and keeps the table that they build. Fields
// come checked. State of a session; a block that is malformed ends the connection, for the table is no longer what the
// peer believes.
class HeaderDecoder {
 public:
  static constexpr size_t kLongestText = 64 * 1024;   // of a name or a value, decoded

  explicit HeaderDecoder(Memory& memory) : memory_(memory), table_(memory) {}
  HeaderDecoder(const HeaderDecoder&) = delete;
  HeaderDecoder& operator=(const HeaderDecoder&) = delete;
  ~HeaderDecoder();

  // A whole block follows, whose octets outlive the calls of `next`.
  void begin(std::string_view block);
  enum class Found : uint8_t { kField, kEnd, kMalformed };
  // The next field, valid until the next call.
  Found next();
  const CheckedField& field() const { return *field_; }

  // What our SETTINGS allow the peer's table, once it has acknowledged them: when that is less than it was, the next
  // block has to say that it is so (RFC 7541 4.2).
  void set_limit(size_t most);
  size_t table_octets() const { return table_.octets(); }

 private:
  enum class Keep : uint8_t { kInTable, kNowhere };
  struct Text {
    char* memory = nullptr;
    size_t room = 0;
  };

  bool take_number(uint8_t prefix_bits, size_t& value);
  bool take_text(Text& scratch, std::string_view& text);
  bool take_literal(uint8_t prefix_bits, Keep keep);
  bool take_resize();
  char* room_in(Text& scratch, size_t size);
  void let_go(Text& scratch, size_t keep);

  Memory& memory_;
  HeaderTable table_;
  std::string_view rest_;
  CheckedField literal_;
  const CheckedField* field_ = nullptr;
  Text name_;   // where Huffman-coded texts are decoded to
  Text value_;
  size_t limit_ = 4096;
  bool must_resize_ = false;
  bool at_begin_ = false;   // of a block, where alone sizes may change
};

}   // namespace proxyd::http2
