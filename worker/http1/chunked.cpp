#include "worker/http1/chunked.h"

#include <algorithm>

#include "shared/base/bytes.h"

namespace proxyd::http1 {
namespace {

using http::Refusal;

constexpr uint32_t kMaxSizeDigits = 16;
constexpr uint32_t kMaxExtension = 256;
constexpr uint32_t kMaxExtensions = 16 * 1024;
constexpr uint32_t kMaxTrailers = 8 * 1024;
constexpr uint64_t kMaxChunk = (uint64_t{1} << 63) - 1;

}   // namespace

ChunkedDecoder::ChunkedDecoder(http::Fields& trailers, Underscore underscore)
    : trailers_(&trailers), trailer_rules_{.max_section = kMaxTrailers + 1, .underscore = underscore} {}

ChunkedDecoder::Step ChunkedDecoder::refuse(Refusal refusal, size_t consumed) {
  refusal_ = refusal;
  return {.state = State::kRefused, .consumed = consumed};
}

Refusal ChunkedDecoder::step_size(char c) {
  const int digit = hex_value(c);
  if (digit >= 0) {
    if (++digits_ > kMaxSizeDigits) return Refusal::kChunkSizeDigits;
    left_ = left_ * 16 + static_cast<uint64_t>(digit);
    return left_ >= kMaxChunk || (digits_ == kMaxSizeDigits && left_ >> 60 != 0) ? Refusal::kChunkOverflow
                                                                                 : Refusal::kNone;
  }
  if (digits_ == 0) return c == '\n' ? Refusal::kChunkBareLf : Refusal::kChunkSize;
  if (c == ';') {
    part_ = Part::kExtension;
    return Refusal::kNone;
  }
  if (c == '\r') {
    part_ = Part::kSizeLf;
    return Refusal::kNone;
  }
  return c == '\n' ? Refusal::kChunkBareLf : Refusal::kChunkSize;
}

Refusal ChunkedDecoder::step_extension(char c) {
  if (c == '\r') {
    part_ = Part::kSizeLf;
    return Refusal::kNone;
  }
  if (c == '\n') return Refusal::kChunkBareLf;
  const auto octet = static_cast<uint8_t>(c);
  if ((octet < 0x20 && c != '\t') || octet == 0x7F) return Refusal::kChunkExtControl;
  const bool too_many = ++extension_ > kMaxExtension || ++extensions_ > kMaxExtensions;
  return too_many ? Refusal::kChunkExtLimit : Refusal::kNone;
}

// One octet of framing.
Refusal ChunkedDecoder::step(char c) {
  switch (part_) {
    case Part::kSize: return step_size(c);
    case Part::kExtension: return step_extension(c);
    case Part::kSizeLf:
      if (c != '\n') return Refusal::kChunkBareCr;
      part_ = left_ == 0 ? Part::kLastLine : Part::kData;
      return Refusal::kNone;
    case Part::kLastCr:
      if (c != '\n') return Refusal::kTrailerSyntax;
      part_ = Part::kEnd;
      return Refusal::kNone;
    case Part::kDataCr:
      if (c != '\r') return Refusal::kChunkDataCrlf;
      part_ = Part::kDataLf;
      return Refusal::kNone;
    case Part::kDataLf:
      if (c != '\n') return Refusal::kChunkDataCrlf;
      part_ = Part::kSize;
      digits_ = 0;
      extension_ = 0;
      return Refusal::kNone;
    default: return Refusal::kNone;
  }
}

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view input) {
  if (refusal_ != Refusal::kNone) return {.state = State::kRefused};
  size_t at = 0;
  while (part_ != Part::kData && part_ != Part::kTrailers && part_ != Part::kEnd) {
    if (at == input.size()) return {.consumed = at};
    if (part_ == Part::kLastLine) {
      part_ = input[at] == '\r' ? Part::kLastCr : Part::kTrailers;   // no trailers, or the first of them
      at += part_ == Part::kLastCr ? 1 : 0;
      continue;
    }
    const Refusal refusal = step(input[at]);
    if (refusal != Refusal::kNone) return refuse(refusal, at);
    ++at;
  }
  if (part_ == Part::kEnd) return {.state = State::kEnd, .consumed = at};
  if (part_ == Part::kTrailers) return next_trailers(input, at);
  const std::string_view data = input.substr(at, std::min<uint64_t>(left_, input.size() - at));
  return {.state = data.empty() ? State::kNeedMore : State::kData, .consumed = at, .data = data};
}

void ChunkedDecoder::take_data(size_t octets) {
  left_ -= octets;
  if (left_ == 0) part_ = Part::kDataCr;
}

// The trailer section may come in pieces and outlive the buffer, so it is gathered in the arena and parsed as a head's
// fields are. Bytes of the next message that are gathered with it are not consumed.
ChunkedDecoder::Step ChunkedDecoder::next_trailers(std::string_view input, size_t at) {
  if (!trailer_text_) {
    trailer_text_ = trailers_->arena().allocate_text(kMaxTrailers);
    section_.emplace(*trailers_, trailer_rules_);
  }
  const size_t before = trailer_size_;
  const size_t taken = std::min<size_t>(input.size() - at, kMaxTrailers - before);
  input.copy(trailer_text_ + before, taken, at);
  trailer_size_ += static_cast<uint32_t>(taken);
  const Progress progress = section_->parse({trailer_text_, trailer_size_}, scanner_);
  if (progress == Progress::kComplete) {
    part_ = Part::kEnd;
    return {.state = State::kEnd, .consumed = at + scanner_.line_start() - before};
  }
  if (progress == Progress::kRefused) {
    const bool limit = section_->fault().refusal == Refusal::kHeaderCount;
    return refuse(limit ? Refusal::kTrailerLimit : Refusal::kTrailerSyntax, at);
  }
  if (trailer_size_ == kMaxTrailers) return refuse(Refusal::kTrailerLimit, at);
  return {.consumed = at + taken};
}

}   // namespace proxyd::http1
