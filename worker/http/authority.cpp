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

Result<uint16_t, Refusal> parse_port(std::string_view digits) {
  if (digits.empty()) return uint16_t{0};
  uint32_t port = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return Refusal::kHostInvalid;
    port = port * 10 + static_cast<uint32_t>(c - '0');
    if (port > 65535) return Refusal::kHostPort;
  }
  return static_cast<uint16_t>(port);
}

std::string_view lower_case(std::string_view text, Arena& arena) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (std::none_of(text.begin(), text.end(), is_upper)) return text;
  char* lower = arena.allocate_text(text.size());
  std::transform(text.begin(), text.end(), lower, ascii_lower);
  return {lower, text.size()};
}

}   // namespace

Result<Authority, Refusal> parse_authority(std::string_view text, Arena& arena) {
  if (text.empty()) return Refusal::kHostEmpty;
  const size_t bracket = text.front() == '[' ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return Refusal::kHostInvalid;
  const size_t colon = text.find(':', bracket);
  std::string_view host = text.substr(0, colon);
  if (host.find('@') != std::string_view::npos || text.find('@') != std::string_view::npos) {
    return Refusal::kHostUserinfo;
  }
  if (host.empty()) return Refusal::kHostEmpty;
  if (bracket != 0) {
    if (bracket + 1 != host.size() || !is_ipv6_literal(host)) return Refusal::kHostInvalid;
  } else if (!std::all_of(host.begin(), host.end(), [](char c) { return is_in(c, character::kRegName); })) {
    return Refusal::kHostInvalid;
  }
  const auto port = parse_port(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1));
  if (!port) return port.error();
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  return Authority{lower_case(host, arena), *port};
}

}   // namespace proxyd::http
