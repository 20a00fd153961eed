#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace proxyd::config {

// What the document's values are made of. An empty optional is `off`.
using Duration = std::chrono::milliseconds;
using MaybeDuration = std::optional<Duration>;
using MaybeSize = std::optional<uint64_t>;

inline constexpr Duration seconds(int64_t n) { return std::chrono::seconds(n); }

// A field value as written: a template with {variables}, or the name of a file whose content (less a final line end)
// is the value. File contents are secrets: they travel in the snapshot's materials, never in the document.
struct FieldValue {
  std::string text;
  bool is_file = false;
  bool operator==(const FieldValue&) const = default;
};

// A request's value that something is decided by: `client_ip`, `path`, `header:NAME`, `cookie:NAME`, `query:NAME`.
using RequestKey = std::string;

}   // namespace proxyd::config
