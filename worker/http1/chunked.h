#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "worker/http/fields.h"
#include "worker/http/refusal.h"
#include "worker/http1/head_parser.h"

namespace proxyd::http1 {

// Takes chunked content apart (RFC 9112 7.1), strictly, without a copy, and resumes at any octet. Extensions are
// dropped: 256 octets a chunk, 16 KiB a message. Trailers: 8 KiB, their texts in `trailers`' arena, names with an
// underscore treated as in the head. Engine code; one message, owned by its exchange.
class ChunkedDecoder {
 public:
  enum class State : uint8_t { kNeedMore, kData, kEnd, kRefused };

  struct Step {
    State state = State::kNeedMore;
    size_t consumed = 0;     // octets of framing before the data (or in all, without data)
    std::string_view data;   // for kData: content, follows right after `consumed` and is taken by `take_data`
  };

  ChunkedDecoder(http::Fields& trailers, Underscore underscore);

  // Looks at what has been received and not yet taken. With kData, the caller takes some of `data` and says how much.
  Step next(std::string_view input);
  void take_data(size_t octets);
  bool ended() const { return part_ == Part::kEnd; }
  http::Refusal refusal() const { return refusal_; }

 private:
  enum class Part : uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kLastLine,
    kLastCr,
    kTrailers,
    kEnd
  };

  http::Refusal step_size(char c);
  http::Refusal step_extension(char c);
  http::Refusal step(char c);
  Step refuse(http::Refusal refusal, size_t consumed);
  Step next_trailers(std::string_view input, size_t consumed);

  http::Fields* trailers_;
  HeadRules trailer_rules_;
  uint64_t left_ = 0;         // of the chunk
  uint32_t extension_ = 0;    // octets in this chunk
  uint32_t extensions_ = 0;   // octets in the message
  uint32_t trailer_size_ = 0;
  char* trailer_text_ = nullptr;   // kMaxTrailers in the arena, once there is a trailer
  LineScanner scanner_;            // of the trailers
  std::optional<FieldSection> section_;
  uint8_t digits_ = 0;
  Part part_ = Part::kSize;
  http::Refusal refusal_ = http::Refusal::kNone;
};

}   // namespace proxyd::http1
