#include <cstdlib>
#include <string>

#include "worker/http1/framing.h"
#include "worker/http1/head_parser.h"
#include "worker/http1/serializer.h"

// Oracle: byte by byte gives what all at once gives; and what is accepted, serialized and parsed again, is the same.
namespace {

using namespace proxyd;

bool same_fields(const http::Fields& a, const http::Fields& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a.begin()[i].name != b.begin()[i].name || a.begin()[i].value != b.begin()[i].value) return false;
  }
  return true;
}

void check_round_trip(const http::ResponseHead& head, const http1::HeadRules& rules) {
  std::string room(256 * 1024, '\0');
  http1::Serializer serializer(room.data(), room.size());
  serializer.response_head(head.status, head.reason, &head.fields, {}, {.framing = false});
  if (serializer.overflowed()) std::abort();
  http::Arena arena;
  http::ResponseHead again(arena);
  http1::HeadRules wide = rules;
  wide.max_section += 64;   // a reason phrase that was missing has been put in
  wide.max_line += 64;
  http1::ResponseParser parser(again, wide);
  if (parser.parse(serializer.text()) != http1::Progress::kComplete) std::abort();
  if (parser.consumed() != serializer.size()) std::abort();
  if (again.status != head.status || !same_fields(again.fields, head.fields)) std::abort();
  if (!head.reason.empty() && again.reason != head.reason) std::abort();
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const http1::HeadRules rules{.underscore = http1::Underscore::kPass};
  http::Arena arena_a, arena_b;
  http::ResponseHead a(arena_a), b(arena_b);
  http1::ResponseParser at_once(a, rules), stepwise(b, rules);
  const http1::Progress expected = at_once.parse(octets);
  http1::Progress got = http1::Progress::kNeedMore;
  for (size_t end = 1; end <= size && got == http1::Progress::kNeedMore; ++end)
    got = stepwise.parse(octets.substr(0, end));
  if (size > 0 && got != expected) std::abort();
  if (expected == http1::Progress::kRefused && at_once.fault().refusal != stepwise.fault().refusal) std::abort();
  if (expected != http1::Progress::kComplete) return 0;
  if (at_once.consumed() != stepwise.consumed() || a.status != b.status || !same_fields(a.fields, b.fields))
    std::abort();
  check_round_trip(a, rules);
  for (const http::Method method : {http::Method::kGet, http::Method::kHead}) {
    const auto content = http1::frame_response(a, method);
    const bool none =
        a.status != 101 && (a.status < 200 || a.status == 204 || a.status == 304 || method == http::Method::kHead);
    if (content && none && !content->is_empty()) std::abort();
  }
  return 0;
}
