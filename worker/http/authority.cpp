#include "worker/http/authority.h"

#include <arpa/inet.h>

#include <algorithm>

#include "shared/base/bytes.h"
#include "worker/http/characters.h"

namespace proxyd::http {
namespace {

bool is_ipv6_literal(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  if (text.size() < 4 || text.size() - 2 >= sizeof copy) return false;
  const size_t length = text.copy(copy, text.size() - 2, 1);
  copy[length] = '\0';
  in6_addr address;
  return inet_pton(AF_INET6, copy, &address) == 1;
}

constexpr uint32_t kNoPort = 65536;

Result<uint16_t, Refusal> parse_port(std::string_view digits) {
  if (digits.empty()) return uint16_t{0};
  uint32_t port = 0;
  for (const char c : digits) {
    const uint32_t digit = static_cast<uint8_t>(c) - uint32_t{'0'};
    if (digit > 9) return Refusal::kHostInvalid;
    port = std::min(port * 10 + digit, kNoPort);
  }
  if (port == kNoPort) return Refusal::kHostPort;
  return static_cast<uint16_t>(port);
}

std::string_view lower_case(std::string_view text, Arena& arena) {
  char* lower = arena.allocate_text(text.size());
  std::transform(text.begin(), text.end(), lower, ascii_lower);
  return {lower, text.size()};
}

// User information explains whatever else is wrong.
Refusal fault(std::string_view text, Refusal refusal) {
  return text.find('@') != std::string_view::npos ? Refusal::kHostUserinfo : refusal;
}

// How many octets at the front may be part of a registered name.
struct RegName {
  size_t size = 0;
  bool has_upper = false;
};

RegName reg_name_of(std::string_view text) {
  const char* const from = text.data();
  RegName name;
  while (name.size < text.size() && is_in(from[name.size], character::kPlainName)) ++name.size;
  uint8_t seen = 0;
  for (; name.size < text.size(); ++name.size) {
    const uint8_t classes = classes_of(from[name.size]);
    if ((classes & character::kRegName) == 0) break;
    seen |= classes;
  }
  name.has_upper = (seen & character::kUpper) != 0;
  return name;
}

// "[2001:db8::1]" at the front of `text`; empty when it is none.
std::string_view ipv6_literal_of(std::string_view text) {
  const std::string_view literal = text.substr(0, text.find(']') + 1);
  const bool ends = literal.size() == text.size() || text[literal.size()] == ':';
  return ends && is_ipv6_literal(literal) ? literal : std::string_view();
}

}   // namespace

Result<Authority, Refusal> parse_authority(std::string_view text, Arena& arena) {
  if (text.empty()) return Refusal::kHostEmpty;
  const bool literal = text.front() == '[';
  const RegName name = literal ? RegName{ipv6_literal_of(text).size(), true} : reg_name_of(text);
  const bool has_port = name.size < text.size() && text[name.size] == ':';
  if (name.size == 0) return fault(text, has_port ? Refusal::kHostEmpty : Refusal::kHostInvalid);
  if (name.size < text.size() && !has_port) return fault(text, Refusal::kHostInvalid);
  const auto port = parse_port(has_port ? text.substr(name.size + 1) : std::string_view());
  if (!port) return fault(text, port.error());
  std::string_view host = text.substr(0, name.size);
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  const bool as_written = has_port && !name.has_upper && host.size() == name.size && text.size() > name.size + 1 &&
                          text[name.size + 1] != '0';
  return Authority{name.has_upper ? lower_case(host, arena) : host, *port, as_written ? text : std::string_view()};
}

}   // namespace proxyd::http
