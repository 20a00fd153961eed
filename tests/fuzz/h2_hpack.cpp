#include <nghttp2/nghttp2.h>

#include <cstdlib>
#include <string>

#include "tests/support/http2/peer.h"
#include "worker/http2/header_decoder.h"

// Header blocks one after the other on one table, each an octet for a half of its size and the block; the first octet
// says how much the table may hold. Oracle: nghttp2's decoder finds the same fields, and the same block malformed.
namespace {

using namespace proxyd;
using namespace proxyd::http2;

constexpr std::string_view kMalformed = "malformed";

std::string ours(HeaderDecoder& decoder, std::string_view block) {
  std::string text;
  decoder.begin(block);
  for (;;) {
    switch (decoder.next()) {
      case HeaderDecoder::Found::kEnd: return text;
      case HeaderDecoder::Found::kMalformed: return std::string(kMalformed);
      case HeaderDecoder::Found::kField:
        const CheckedField& field = decoder.field();
        text += std::string(field.name) + "=" + std::string(field.value) + "\n";
        const FieldClass again = classify(field.name, field.value);
        if (again.refusal != field.is.refusal || again.known != field.is.known) std::abort();
    }
  }
}

std::string theirs(nghttp2_hd_inflater* inflater, std::string_view block) {
  std::string text;
  const auto* at = reinterpret_cast<const uint8_t*>(block.data());
  size_t left = block.size();
  for (;;) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t taken = nghttp2_hd_inflate_hd2(inflater, &field, &flags, at, left, 1);
    if (taken < 0) return std::string(kMalformed);
    at += taken;
    left -= static_cast<size_t>(taken);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      text.append(reinterpret_cast<const char*>(field.name), field.namelen).append("=");
      text.append(reinterpret_cast<const char*>(field.value), field.valuelen).append("\n");
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater);
  return text;
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  CountedMemory memory;
  nghttp2_hd_inflater* inflater = nullptr;
  if (nghttp2_hd_inflate_new(&inflater) != 0) std::abort();
  {
    HeaderDecoder decoder(memory);
    const size_t limit = 32u * data[0];
    decoder.set_limit(limit);
    nghttp2_hd_inflate_change_table_size(inflater, limit);
    input.remove_prefix(1);
    while (!input.empty()) {
      const std::string block(input.substr(1, size_t{2} * static_cast<uint8_t>(input.front())));   // its end is watched
      input.remove_prefix(1 + block.size());
      if (block.empty()) continue;
      const std::string expected = theirs(inflater, block);
      if (ours(decoder, block) != expected) std::abort();
      if (decoder.table_octets() != nghttp2_hd_inflate_get_dynamic_table_size(inflater) && expected != kMalformed) {
        std::abort();
      }
      if (expected == kMalformed) break;
    }
  }
  nghttp2_hd_inflate_del(inflater);
  if (memory.live != 0) std::abort();
  return 0;
}
