#include <cstdlib>
#include <string>

#include "worker/net/proxy_protocol.h"

// Oracle: what is decided by a beginning stays decided as more arrives; a header never takes more than there is; and
// what version 1 said, written again, says the same.
namespace {

using namespace proxyd::net;
using State = ProxyHeader::State;

bool same(const ProxyHeader& a, const ProxyHeader& b) {
  return a.state == b.state && (a.state != State::kPresent ||
                                (a.octets == b.octets && a.source == b.source && a.destination == b.destination));
}

std::string write_v1(const ProxyHeader& header) {
  std::array<char, 48> room;
  const std::string source(header.source->format_ip(room));
  const std::string destination(header.destination->format_ip(room));
  const bool ipv6 = source.find(':') != std::string::npos;
  return "PROXY " + std::string(ipv6 ? "TCP6 " : "TCP4 ") + source + " " + destination + " " +
         std::to_string(header.source->port()) + " " + std::to_string(header.destination->port()) + "\r\n";
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  for (const ProxyHeaderKind kind : {ProxyHeaderKind::kV1, ProxyHeaderKind::kV2, ProxyHeaderKind::kAny}) {
    const ProxyHeader at_once = parse_proxy_header(octets, kind);
    if (at_once.state == State::kPresent && (at_once.octets == 0 || at_once.octets > size)) std::abort();
    for (size_t end = 1; end <= size; ++end) {
      const ProxyHeader some = parse_proxy_header(octets.substr(0, end), kind);
      if (some.state != State::kNeedMore && !same(some, at_once)) std::abort();
    }
    const bool both = at_once.state == State::kPresent && at_once.source && at_once.destination;
    if (!both || at_once.source->family() != at_once.destination->family()) continue;
    const std::string line = write_v1(at_once);
    const ProxyHeader again = parse_proxy_header(line, ProxyHeaderKind::kV1);
    if (again.state != State::kPresent || again.source != at_once.source || again.destination != at_once.destination)
      std::abort();
  }
  return 0;
}
