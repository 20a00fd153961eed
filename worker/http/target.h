#pragma once

#include <string_view>

#include "shared/base/result.h"
#include "worker/http/arena.h"
#include "worker/http/method.h"
#include "worker/http/refusal.h"

namespace proxyd::http {

enum class TargetForm : uint8_t { kOrigin, kAbsolute, kAuthority, kAsterisk };

// A request target (RFC 9112 3.2), its path normalized once: percent-encoded unreserved characters decoded, dot
// segments removed, empty segments merged (RFC 3986 6.2.2). Matching, access, keys, purge and the upstream all use
// `path`; `raw` is for routes with `raw_path`. Views into the message.
struct Target {
  TargetForm form = TargetForm::kOrigin;
  std::string_view scheme;      // of the absolute form, else empty
  std::string_view authority;   // of the absolute and the authority form, else empty
  std::string_view raw;         // path and query as sent
  std::string_view path;        // normal form, begins with "/" ("*" in the asterisk form)
  std::string_view query;       // after "?", as sent
  bool has_query = false;
  bool has_encoded_separator = false;   // %2F, %5C or %00 in the path: never decoded, refused where access is guarded

  // The path as sent.
  std::string_view raw_path() const { return raw.substr(0, raw.find('?')); }
};

Result<Target, Refusal> parse_target(std::string_view text, Method method, Arena& arena);

// The normal form of a path that begins with "/" and has valid percent-encoding; `path` itself when it is normal.
std::string_view normalize_path(std::string_view path, Arena& arena);

}   // namespace proxyd::http
