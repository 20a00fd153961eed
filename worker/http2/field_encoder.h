#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/base/bytes.h"
#include "worker/http/arena.h"
#include "worker/http/fields.h"

namespace proxyd::http2 {

// Fields as HPACK writes them (RFC 7541 6.2.2) with the static table and nothing else: no state, so that a block may be
// sent or not, and whenever; a tenth of the work that the dynamic table would be, for some 200 octets more a head. What
// must not be sent is left out as in HeaderList. Writes into the arena, where the block then lies; a value on the stack
// of who submits a head.
class FieldEncoder {
 public:
  // `most`: of all texts, with four octets for each field. `unwanted`: bits of names that are left out.
  FieldEncoder(http::Arena& arena, size_t most, uint64_t unwanted)
      : begin_(arena.allocate_text(room_for(most))), at_(begin_), unwanted_(unwanted) {}

  void add(const http::Fields& fields);
  // "Name: value\r\n", any number of them, as our own serializer or a checked message has them.
  void add_lines(std::string_view lines);
  void add(http::FieldName known, std::string_view name, std::string_view value);

  // Content-Length.
  void add_length(uint64_t bytes);

  std::string_view block() const { return {begin_, static_cast<size_t>(at_ - begin_)}; }

  static size_t size_of(const http::Fields& fields) {
    size_t size = 0;
    for (const http::Field& field : fields) size += field.name.size() + field.value.size() + 4;
    return size;
  }

 private:
  // A field needs an octet, and two lengths of an octet each, or up to four where texts are long. A line that lacks
  // what lines have, "a:\n", becomes a third longer.
  static size_t room_for(size_t most) { return most + most / 2 + 32; }
  void put(http::FieldName known, std::string_view name, std::string_view value);

  char* begin_;
  char* at_;
  uint64_t unwanted_;
};

}   // namespace proxyd::http2
