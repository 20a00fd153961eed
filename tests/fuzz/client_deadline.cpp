#include "worker/proxy/client_deadline.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

// What is taken as a deadline is neither negative nor longer than anything waits, and reads the same when it is written
// in the smallest unit.
namespace {

using namespace std::chrono;

void require(bool condition) {
  if (!condition) std::abort();
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto parse : {&proxyd::proxy::parse_deadline, &proxyd::proxy::parse_grpc_timeout}) {
    const auto limit = parse(text);
    if (!limit) continue;
    require(limit->count() >= 0 && *limit <= hours(24 * 366));
    const auto whole = duration_cast<milliseconds>(*limit);
    require(proxyd::proxy::parse_deadline(fmt::format("{}ms", whole.count())) == whole);
  }
  return 0;
}
