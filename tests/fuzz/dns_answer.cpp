#include <cstdlib>

#include "master/dns/answer.h"

// Any message of a name server: it is read or refused, within its octets, and bounded.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace proxyd::dns;
  for (const RecordType type : {RecordType::kA, RecordType::kAaaa, RecordType::kSrv}) {
    const auto answer = read_answer({data, size}, type);
    if (!answer) continue;
    if (answer->addresses.size() + answer->services.size() > 256) std::abort();
    for (const SrvRecord& service : answer->services) {
      if (service.host.size() > 255) std::abort();
    }
  }
  return 0;
}
