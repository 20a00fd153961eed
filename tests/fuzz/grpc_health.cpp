#include "worker/upstream/grpc_health.h"

#include <cstdint>
#include <cstdlib>
#include <string>

// An answer to a health check that is taken must say the same with its status written once more behind it, for the last
// one counts; and nothing that is cut short may be taken.
namespace {

using proxyd::upstream::grpc_health_status;

std::string framed(const std::string& message) {
  std::string frame(1, '\0');
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(message.size() >> shift);
  return frame + message;
}

std::string varint(uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>(value | 0x80);
  return text + static_cast<char>(value);
}

void require(bool condition) {
  if (!condition) std::abort();
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string content(reinterpret_cast<const char*>(data), size);
  const auto status = grpc_health_status(content);
  if (!status) return 0;
  const std::string message = content.substr(5);
  require(grpc_health_status(framed(message + "\x08" + varint(*status))) == status);
  require(grpc_health_status(framed(message + "\x08" + varint(*status + 1))) == *status + 1);
  for (size_t cut = 0; cut < content.size(); ++cut) require(!grpc_health_status(content.substr(0, cut)));
  return 0;
}
