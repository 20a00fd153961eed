#include "worker/http2/header_decoder.h"

#include <algorithm>

#include "worker/http2/huffman.h"

namespace proxyd::http2 {
namespace {

constexpr size_t kLargestNumber = 1 << 24;   // nothing in a block has more
constexpr uint8_t kHuffman = 0x80;
constexpr size_t kUsualRoom = 240;   // for decoded texts, kept from block to block

}   // namespace

HeaderDecoder::~HeaderDecoder() {
  let_go(name_, 0);
  let_go(value_, 0);
}

void HeaderDecoder::let_go(Text& scratch, size_t keep) {
  if (scratch.room <= keep) return;
  memory_.release(scratch.memory, scratch.room);
  scratch = {};
}

void HeaderDecoder::begin(std::string_view block) {
  rest_ = block;
  at_begin_ = true;
}

void HeaderDecoder::set_limit(size_t most) {
  limit_ = most;
  must_resize_ = most < table_.most();
}

// RFC 7541 5.1; the first octet's other bits have been looked at.
bool HeaderDecoder::take_number(uint8_t prefix_bits, size_t& value) {
  if (rest_.empty()) return false;
  const auto most = static_cast<uint8_t>((1 << prefix_bits) - 1);
  value = static_cast<uint8_t>(rest_.front()) & most;
  rest_.remove_prefix(1);
  if (value != most) return true;
  for (unsigned shift = 0; shift <= 21 && !rest_.empty(); shift += 7) {
    const auto octet = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    value += static_cast<size_t>(octet & 0x7F) << shift;
    if (value > kLargestNumber) return false;
    if ((octet & 0x80) == 0) return true;
  }
  return false;
}

char* HeaderDecoder::room_in(Text& scratch, size_t size) {
  if (size > scratch.room) {
    const size_t room = std::max(size, kUsualRoom);
    auto* memory = static_cast<char*>(memory_.allocate(room));
    if (scratch.memory) memory_.release(scratch.memory, scratch.room);
    scratch = {memory, room};
  }
  return scratch.memory;
}

// RFC 7541 5.2.
bool HeaderDecoder::take_text(Text& scratch, std::string_view& text) {
  const bool huffman = !rest_.empty() && (static_cast<uint8_t>(rest_.front()) & kHuffman) != 0;
  size_t size = 0;
  if (!take_number(7, size) || size > rest_.size() || size > kLongestText) return false;
  text = rest_.substr(0, size);
  rest_.remove_prefix(size);
  if (!huffman) return true;
  char* const to = room_in(scratch, size * 2 + 1);
  const size_t decoded = decode_huffman(text, to);
  if (decoded == kNoHuffman || decoded > kLongestText) return false;
  text = {to, decoded};
  return true;
}

// RFC 7541 6.2: the name is in the table, or follows.
bool HeaderDecoder::take_literal(uint8_t prefix_bits, Keep keep) {
  size_t index = 0;
  if (!take_number(prefix_bits, index)) return false;
  if (index == 0) {
    if (!take_text(name_, literal_.name)) return false;
  } else {
    const CheckedField* named = table_.find(index);
    if (!named) return false;
    literal_.name = named->name;
  }
  if (!take_text(value_, literal_.value)) return false;
  literal_.is = classify(literal_.name, literal_.value);
  field_ = &literal_;
  if (keep == Keep::kNowhere) return true;
  const bool enters = table_.has_room_for(literal_);
  if (!enters && index != 0) {   // it empties the table, its own name too
    char* const name = room_in(name_, literal_.name.size());
    literal_.name.copy(name, literal_.name.size());
    literal_.name = {name, literal_.name.size()};
  }
  table_.insert(literal_);
  if (enters) field_ = table_.find(HeaderTable::kStaticFields + 1);
  return true;
}

bool HeaderDecoder::take_resize() {
  size_t most = 0;
  if (!at_begin_ || !take_number(5, most) || most > limit_) return false;
  table_.resize(most);
  must_resize_ = false;
  return true;
}

HeaderDecoder::Found HeaderDecoder::next() {
  for (;;) {
    if (rest_.empty()) {
      let_go(name_, kUsualRoom);
      let_go(value_, kUsualRoom);
      return Found::kEnd;
    }
    const auto first = static_cast<uint8_t>(rest_.front());
    const bool resize = (first & 0xE0) == 0x20;
    if (must_resize_ && !resize) return Found::kMalformed;
    if (resize) {
      if (!take_resize()) return Found::kMalformed;
      continue;
    }
    at_begin_ = false;
    if ((first & 0x80) != 0) {
      size_t index = 0;
      field_ = take_number(7, index) ? table_.find(index) : nullptr;
      return field_ ? Found::kField : Found::kMalformed;
    }
    const bool taken = (first & 0x40) != 0 ? take_literal(6, Keep::kInTable) : take_literal(4, Keep::kNowhere);
    return taken ? Found::kField : Found::kMalformed;
  }
}

}   // namespace proxyd::http2
