#pragma once

#include <string_view>

namespace proxyd::http {

constexpr bool is_space(char c) { return c == ' ' || c == '\t'; }

inline std::string_view trim(std::string_view text) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  while (begin != end && is_space(*begin)) ++begin;
  while (begin != end && is_space(end[-1])) --end;
  return {begin, static_cast<size_t>(end - begin)};
}

// Walks the members of a comma-separated list (RFC 9110 5.6.1); commas within quoted strings do not separate, empty
// members are skipped.
class ListMembers {
 public:
  explicit ListMembers(std::string_view list) : rest_(list) {}

  // The next member without surrounding white space; false when there is none.
  bool next(std::string_view& member) {
    while (!rest_.empty()) {
      const size_t end = end_of_member();
      member = trim(rest_.substr(0, end));
      rest_.remove_prefix(end < rest_.size() ? end + 1 : end);
      if (!member.empty()) return true;
    }
    return false;
  }

 private:
  size_t end_of_member() const {
    const char* const begin = rest_.data();
    const char* const end = begin + rest_.size();
    bool quoted = false;
    for (const char* at = begin; at < end; ++at) {
      if (*at == ',' && !quoted) return static_cast<size_t>(at - begin);
      if (*at == '"') quoted = !quoted;
      if (*at == '\\' && quoted) ++at;
    }
    return rest_.size();
  }

  std::string_view rest_;
};

}   // namespace proxyd::http
