#include "worker/caching/request_parts.h"

#include "shared/base/bytes.h"

namespace proxyd::caching {

std::string_view decoded_name(std::string_view name, http::Arena& arena) {
  if (name.find_first_of("%+") == std::string_view::npos) return name;
  char* const decoded = arena.allocate_text(name.size());
  char* to = decoded;
  for (size_t at = 0; at < name.size(); ++at) {
    char c = name[at] == '+' ? ' ' : name[at];
    if (c == '%' && at + 2 < name.size() && hex_value(name[at + 1]) >= 0 && hex_value(name[at + 2]) >= 0) {
      c = static_cast<char>(hex_value(name[at + 1]) * 16 + hex_value(name[at + 2]));
      at += 2;
    }
    *to++ = c;
  }
  return {decoded, static_cast<size_t>(to - decoded)};
}

}   // namespace proxyd::caching
