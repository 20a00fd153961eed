#pragma once

#include <string_view>

namespace proxyd::http {

inline std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
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
    bool quoted = false;
    for (size_t at = 0; at < rest_.size(); ++at) {
      if (rest_[at] == '\\' && quoted) {
        ++at;
      } else if (rest_[at] == '"') {
        quoted = !quoted;
      } else if (rest_[at] == ',' && !quoted) {
        return at;
      }
    }
    return rest_.size();
  }

  std::string_view rest_;
};

}  // namespace proxyd::http
