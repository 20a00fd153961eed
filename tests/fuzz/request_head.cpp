#include <algorithm>
#include <cstdlib>
#include <string>

#include "worker/http1/head_parser.h"
#include "worker/http1/request_check.h"

// Oracle: byte by byte gives what all at once gives, a line that may be sent on as received is what we would write, and
// what is accepted has a normal path.
namespace {

bool same_line(const proxyd::http::Field& a, const proxyd::http::Field& b) {
  return a.name == b.name && a.value == b.value && a.known == b.known && a.as_received == b.as_received;
}

bool is_as_written(const proxyd::http::Field& field) {
  const std::string_view line(field.name.data(), field.line_end());
  return line == std::string(field.name) + ": " + std::string(field.value) + "\r\n";
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace proxyd;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const http1::HeadRules rules;
  http::Arena arena_a, arena_b;
  http::RequestHead a(arena_a), b(arena_b);
  http1::RequestParser at_once(a, rules), stepwise(b, rules);
  const http1::Progress expected = at_once.parse(octets);
  http1::Progress got = http1::Progress::kNeedMore;
  for (size_t end = 1; end <= size && got == http1::Progress::kNeedMore; ++end)
    got = stepwise.parse(octets.substr(0, end));
  if (size > 0 && got != expected) std::abort();
  if (expected == http1::Progress::kRefused && at_once.fault().refusal != stepwise.fault().refusal) std::abort();
  if (expected != http1::Progress::kComplete) return 0;
  if (at_once.consumed() != stepwise.consumed()) std::abort();
  if (!std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(), same_line)) std::abort();
  for (const http::Field& field : a.fields) {
    if (field.as_received && !is_as_written(field)) std::abort();
  }
  if (http1::check_request(a, at_once.target_text()) != http::Refusal::kNone) return 0;
  if (a.target.form == http::TargetForm::kOrigin && http::normalize_path(a.target.path, arena_a) != a.target.path)
    std::abort();
  return 0;
}
