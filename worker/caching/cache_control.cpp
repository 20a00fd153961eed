#include "worker/caching/cache_control.h"

#include <algorithm>
#include <array>
#include <utility>

#include "shared/base/bytes.h"
#include "worker/http/list.h"

namespace proxyd::caching {
namespace {

enum class Message : uint8_t { kRequest, kResponse };

struct Directive {
  std::string_view name;
  std::string_view value;   // without its quotes
  bool has_value = false;
  bool ends = true;   // a quoted string that begins also ends
};

bool has_open_quote(std::string_view text) {
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') quoted = !quoted;
    if (text[at] == '\\' && quoted) ++at;
  }
  return quoted;
}

// "name", "name=value" or "name="value""; a space before or after the sign is part of the name or the value, and fits
// neither.
Directive split(std::string_view member) {
  Directive directive;
  const size_t sign = member.find('=');
  directive.name = member.substr(0, sign);
  directive.ends = !has_open_quote(member);
  if (sign == std::string_view::npos) return directive;
  directive.has_value = true;
  directive.value = member.substr(sign + 1);
  if (directive.value.size() >= 2 && directive.value.front() == '"' && directive.value.back() == '"')
    directive.value = directive.value.substr(1, directive.value.size() - 2);
  return directive;
}

int64_t least(int64_t before, int64_t seconds) {
  return before == CacheControl::kAbsent ? seconds : std::min(before, seconds);
}

// What only requests have.
bool take_request_only(CacheControl& control, const Directive& directive) {
  if (equals_ignoring_case(directive.name, "only-if-cached")) return control.only_if_cached = true;
  const bool is_max_stale = equals_ignoring_case(directive.name, "max-stale");
  if (!is_max_stale && !equals_ignoring_case(directive.name, "min-fresh")) return false;
  std::optional<int64_t> seconds = parse_delta_seconds(directive.value);
  if (is_max_stale && !directive.has_value) seconds = kMostSeconds;
  if (!seconds) return true;
  if (is_max_stale)
    control.max_stale = least(control.max_stale, *seconds);
  else
    control.min_fresh = std::max(control.min_fresh, *seconds);
  return true;
}

bool take(CacheControl& control, const Directive& directive, Message message) {
  if (bool* flag = flag_of(control, directive.name)) {
    *flag = true;
    return true;
  }
  if (int64_t* limit = seconds_of(control, directive.name)) {
    const std::optional<int64_t> seconds = parse_delta_seconds(directive.value);
    if (seconds || message == Message::kResponse) *limit = least(*limit, seconds.value_or(0));
    return true;
  }
  return message == Message::kRequest && take_request_only(control, directive);
}

CacheControl parse(const http::Fields& fields, Message message) {
  CacheControl control;
  if (!fields.has(http::FieldName::kCacheControl)) return control;
  for (const http::Field& field : fields) {
    if (field.known != http::FieldName::kCacheControl) continue;
    http::ListMembers members(field.value);
    std::string_view member;
    while (members.next(member)) {
      const Directive directive = split(member);
      if (take(control, directive, message)) control.any = true;
      if (!directive.ends) control.no_store = control.any = true;   // who knows what the quote swallowed
    }
  }
  return control;
}

template <class Member>
using Directives = std::pair<std::string_view, Member CacheControl::*>;

constexpr std::array<Directives<bool>, 8> kFlags = {{{"no-store", &CacheControl::no_store},
                                                     {"no-cache", &CacheControl::no_cache},
                                                     {"private", &CacheControl::is_private},
                                                     {"public", &CacheControl::is_public},
                                                     {"must-revalidate", &CacheControl::must_revalidate},
                                                     {"proxy-revalidate", &CacheControl::proxy_revalidate},
                                                     {"must-understand", &CacheControl::must_understand},
                                                     {"immutable", &CacheControl::immutable}}};
constexpr std::array<Directives<int64_t>, 4> kSeconds = {
    {{"max-age", &CacheControl::max_age},
     {"s-maxage", &CacheControl::s_maxage},
     {"stale-while-revalidate", &CacheControl::stale_while_revalidate},
     {"stale-if-error", &CacheControl::stale_if_error}}};

template <class Table>
auto find(CacheControl& control, const Table& table, std::string_view name) {
  for (const auto& [known, member] : table) {
    if (equals_ignoring_case(name, known)) return &(control.*member);
  }
  return decltype(&(control.*table[0].second)){};
}

}   // namespace

bool* flag_of(CacheControl& control, std::string_view directive) { return find(control, kFlags, directive); }

int64_t* seconds_of(CacheControl& control, std::string_view directive) { return find(control, kSeconds, directive); }

std::optional<int64_t> parse_delta_seconds(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int64_t seconds = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    seconds = std::min(seconds * 10 + (c - '0'), kMostSeconds);
  }
  return seconds;
}

CacheControl parse_response_directives(const http::Fields& fields) { return parse(fields, Message::kResponse); }

CacheControl parse_request_directives(const http::Fields& fields) { return parse(fields, Message::kRequest); }

bool has_pragma_no_cache(const http::Fields& fields) {
  if (!fields.has(http::FieldName::kPragma)) return false;
  for (const http::Field& field : fields) {
    if (field.known != http::FieldName::kPragma) continue;
    http::ListMembers members(field.value);
    std::string_view member;
    while (members.next(member)) {
      if (equals_ignoring_case(member, "no-cache")) return true;
    }
  }
  return false;
}

}   // namespace proxyd::caching
