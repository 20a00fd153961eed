#include <cstdint>
#include <cstdlib>
#include <string>

#include "worker/tls/client_hello.h"

// Oracle: a name that was read, written into an extension again, is read as the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace proxyd::tls;
  const ServerNameExtension read = read_server_name({data, size});
  if (read.state != ServerNameExtension::State::kName) return 0;
  const std::string name(read.name.text());
  if (name.empty() || name.size() > ServerName::kMost) std::abort();
  std::string again;
  const auto number = [&again](size_t value) {
    again.push_back(static_cast<char>(value >> 8));
    again.push_back(static_cast<char>(value & 0xff));
  };
  number(name.size() + 3);
  again.push_back(0);
  number(name.size());
  again += name;
  const ServerNameExtension second = read_server_name({reinterpret_cast<const uint8_t*>(again.data()), again.size()});
  if (second.state != ServerNameExtension::State::kName || second.name.text() != name) std::abort();
  return 0;
}
