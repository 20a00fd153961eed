#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "worker/http/date.h"

// The first four octets are now, in seconds. Oracle: a date that was read and written is read as the same; and any
// seconds at all are written as a date of theirs.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace proxyd::http;
  uint32_t now = 0;
  if (size < sizeof now) return 0;
  std::memcpy(&now, data, sizeof now);
  const std::string_view text(reinterpret_cast<const char*>(data) + sizeof now, size - sizeof now);
  const auto read_again = [now](int64_t seconds) {
    const auto written = format_date(seconds);
    return parse_date({written.data(), written.size()}, now);
  };
  if (const std::optional<int64_t> seconds = parse_date(text, now)) {
    if (read_again(*seconds) != seconds && *seconds != 253'402'300'800)
      std::abort();   // a leap second of the last year
  }
  int64_t any = 0;
  std::memcpy(&any, text.data(), std::min(text.size(), sizeof any));
  const std::optional<int64_t> cut = read_again(any);
  if (!cut || (any >= 0 && any <= 253'402'300'799 && cut != any)) std::abort();
  return 0;
}
