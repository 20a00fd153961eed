#pragma once

#include <optional>
#include <string_view>

#include "worker/http/fields.h"
#include "worker/http/list.h"

namespace proxyd::caching {

// One of the pieces of a query between its ampersands. Only they divide: where an origin divides at other characters
// too, what stands behind one is part of the value here (CVE-2021-23336).
struct QueryParameter {
  std::string_view text;   // as it came
  std::string_view name;   // up to the first "="
};

class QueryParameters {
 public:
  explicit QueryParameters(std::string_view query, bool present) : rest_(query), more_(present) {}

  std::optional<QueryParameter> next() {
    if (!more_) return std::nullopt;
    const size_t end = rest_.find('&');
    const std::string_view text = rest_.substr(0, end);
    more_ = end != std::string_view::npos;
    if (more_) rest_.remove_prefix(end + 1);
    return QueryParameter{text, text.substr(0, text.find('='))};
  }

 private:
  std::string_view rest_;
  bool more_;
};

struct CookiePair {
  std::string_view text;   // "name=value"
  std::string_view name;
};

// The pairs of all Cookie lines in order (RFC 6265 5.4).
class CookiePairs {
 public:
  explicit CookiePairs(const http::Fields& fields)
      : line_(fields.begin()), end_(fields.has(http::FieldName::kCookie) ? fields.end() : fields.begin()) {}

  std::optional<CookiePair> next() {
    for (;;) {
      if (rest_.empty()) {
        while (line_ != end_ && line_->known != http::FieldName::kCookie) ++line_;
        if (line_ == end_) return std::nullopt;
        rest_ = (line_++)->value;
      }
      const size_t end = rest_.find(';');
      const std::string_view text = http::trim(rest_.substr(0, end));
      rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
      if (!text.empty()) return CookiePair{text, http::trim(text.substr(0, text.find('=')))};
    }
  }

 private:
  const http::Field* line_;
  const http::Field* end_;
  std::string_view rest_;
};

// A parameter's name with its percent-encoding and plus signs undone, as origins read it; in the arena when it differs.
std::string_view decoded_name(std::string_view name, http::Arena& arena);

}   // namespace proxyd::caching
