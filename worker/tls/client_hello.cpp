#include "worker/tls/client_hello.h"

namespace proxyd::tls {
namespace {

constexpr uint8_t kHostName = 0;

bool is_name_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

// Takes a length of two octets and what it counts off the front; nothing when that is cut short.
std::optional<std::span<const uint8_t>> take_counted(std::span<const uint8_t>& from) {
  if (from.size() < 2) return std::nullopt;
  const size_t size = static_cast<size_t>(from[0]) << 8 | from[1];
  if (from.size() - 2 < size) return std::nullopt;
  const auto taken = from.subspan(2, size);
  from = from.subspan(2 + size);
  return taken;
}

}   // namespace

std::optional<ServerName> ServerName::from(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > kMost || text.front() == '.' || text.back() == '.') return std::nullopt;
  if (text.find("..") != std::string_view::npos) return std::nullopt;
  ServerName name;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!is_name_octet(lower)) return std::nullopt;
    name.text_[name.size_++] = lower;
  }
  return name;
}

ServerNameExtension read_server_name(std::span<const uint8_t> extension) {
  using State = ServerNameExtension::State;
  auto list = take_counted(extension);
  if (!list || !extension.empty() || list->empty()) return {State::kMalformed};
  std::optional<std::span<const uint8_t>> host;
  while (!list->empty()) {
    const uint8_t type = list->front();
    *list = list->subspan(1);
    const auto value = take_counted(*list);
    if (!value) return {State::kMalformed};
    if (type != kHostName) continue;
    if (host) return {State::kTwoNames};
    host = value;
  }
  if (!host) return {State::kMalformed};
  const auto name = ServerName::from({reinterpret_cast<const char*>(host->data()), host->size()});
  if (!name) return {State::kBadName};
  return {State::kName, *name};
}

}   // namespace proxyd::tls
