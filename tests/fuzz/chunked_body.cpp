#include <algorithm>
#include <cstdlib>
#include <string>

#include "worker/http1/chunked.h"
#include "worker/http1/serializer.h"

// Oracle: in steps of any size the content, the trailers, the rest and the refusal are those of all at once; and what
// was decoded, framed again by us and decoded again, is the same.
namespace {

using namespace proxyd;

struct Outcome {
  http1::ChunkedDecoder::State state = http1::ChunkedDecoder::State::kNeedMore;
  http::Refusal refusal = http::Refusal::kNone;
  std::string content;
  std::string trailers;
  size_t consumed = 0;   // when it ended
  bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view octets, size_t step) {
  using State = http1::ChunkedDecoder::State;
  http::Arena arena;
  http::Fields trailers(arena);
  http1::ChunkedDecoder decoder(trailers, http1::Underscore::kPass);
  Outcome outcome;
  size_t at = 0;
  for (size_t end = std::min(step, octets.size());;) {
    const http1::ChunkedDecoder::Step next = decoder.next(octets.substr(at, end - at));
    if (next.consumed + next.data.size() > end - at) std::abort();
    at += next.consumed;
    if (next.state == State::kData) {
      const size_t some = std::max<size_t>(next.data.size() / 2, 1);   // a sink that takes what it can
      outcome.content += next.data.substr(0, some);
      decoder.take_data(some);
      at += some;
      continue;
    }
    outcome.state = next.state;
    outcome.refusal = decoder.refusal();
    if (next.state != State::kNeedMore) break;
    if (end == octets.size()) break;
    end = std::min(end + step, octets.size());
  }
  if (outcome.state == State::kEnd) outcome.consumed = at;
  for (const http::Field& field : trailers)
    outcome.trailers += std::string(field.name) + ": " + std::string(field.value) + "\r\n";
  if (outcome.state == State::kRefused) outcome.trailers.clear();
  return outcome;
}

std::string frame(const Outcome& outcome) {
  std::string framed;
  for (size_t at = 0; at < outcome.content.size(); at += 1000) {
    const std::string_view piece = std::string_view(outcome.content).substr(at, 1000);
    char head[18];
    http1::Serializer serializer(head, sizeof head);
    serializer.chunk_start(piece.size());
    framed += std::string(serializer.text()) + std::string(piece) + "\r\n";
  }
  return framed + "0\r\n" + outcome.trailers + "\r\n";
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const Outcome at_once = decode(octets, size);
  for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, 1 + size / 2}) {
    if (decode(octets, step) != at_once) std::abort();
  }
  if (at_once.state != http1::ChunkedDecoder::State::kEnd) return 0;
  const std::string framed = frame(at_once);
  const Outcome again = decode(framed, framed.size());
  if (again.state != at_once.state || again.content != at_once.content || again.trailers != at_once.trailers)
    std::abort();
  if (again.consumed != framed.size()) std::abort();
  return 0;
}
