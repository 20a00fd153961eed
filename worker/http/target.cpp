#include "worker/http/target.h"

#include <algorithm>

#include "shared/base/bytes.h"
#include "worker/http/characters.h"

namespace proxyd::http {
namespace {

// True when nothing in the path can be changed by normalization: no percent-encoding, no "//", no segment that begins
// with a dot. `.` is common in file names and plain unless a slash precedes it.
bool is_normal(std::string_view path) {
  char before = '\0';
  for (const char c : path) {
    if (c == '%' || (before == '/' && (c == '/' || c == '.'))) return false;
    before = c;
  }
  return true;
}

// Percent-encoded unreserved characters decoded into `to`; returns the end.
char* decode_unreserved(std::string_view path, char* to) {
  for (size_t at = 0; at < path.size(); ++at) {
    if (path[at] == '%') {
      const char decoded = static_cast<char>(hex_value(path[at + 1]) * 16 + hex_value(path[at + 2]));
      if (is_in(decoded, character::kUnreserved)) {
        *to++ = decoded;
        at += 2;
        continue;
      }
    }
    *to++ = path[at];
  }
  return to;
}

// Removes dot segments and empty segments in place (RFC 3986 5.2.4); returns the end. A path never climbs above "/".
char* remove_segments(char* begin, char* end) {
  char* to = begin;
  const char* at = begin;
  while (at != end) {
    const char* segment = at + 1;   // `at` is a slash
    const char* next = std::find(segment, static_cast<const char*>(end), '/');
    const std::string_view text(segment, static_cast<size_t>(next - segment));
    const bool last = next == end;
    if (text == "..") {
      while (to != begin && *--to != '/') {
      }
      if (last) *to++ = '/';
    } else if (text == "." || text.empty()) {
      if (last) *to++ = '/';
    } else {
      to = std::copy(at, next, to);
    }
    at = next;
  }
  return to == begin ? (*to = '/', to + 1) : to;
}

Refusal check_characters(std::string_view text, bool& has_encoded_separator, size_t path_size) {
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '#') return Refusal::kUriFragment;
    if (!is_in(c, character::kTarget)) return Refusal::kUriCharacter;
    if (c != '%') continue;
    if (at + 2 >= text.size()) return Refusal::kUriPercent;
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    if (high < 0 || low < 0) return Refusal::kUriPercent;
    const int decoded = high * 16 + low;
    if (at < path_size && (decoded == '/' || decoded == '\\' || decoded == 0)) has_encoded_separator = true;
  }
  return Refusal::kNone;
}

// How much of `text`, which begins with "/", is a path that is normal as it stands.
size_t plain_path_size(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* at = begin;
  char before = '\0';
  for (; at != end; before = *at++) {
    if (is_in(*at, character::kPlainPath)) continue;
    if (before == '/' || (*at != '/' && *at != '.')) break;
  }
  return static_cast<size_t>(at - begin);
}

Result<Target, Refusal> parse_path_and_query(Target target, std::string_view text, Arena& arena) {
  target.raw = text;
  const size_t plain = plain_path_size(text);
  if (plain == text.size()) {
    target.path = text;
    return target;
  }
  const size_t question = text.find('?', plain);
  const std::string_view path = text.substr(0, question);
  const Refusal refusal = check_characters(text, target.has_encoded_separator, path.size());
  if (refusal != Refusal::kNone) return refusal;
  target.has_query = question != std::string_view::npos;
  if (target.has_query) target.query = text.substr(question + 1);
  target.path = plain == path.size() ? path : normalize_path(path, arena);
  return target;
}

// "http://authority/path?query" (RFC 9112 3.2.2). Only the two schemes that we serve.
Result<Target, Refusal> parse_absolute(std::string_view text, Arena& arena) {
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return Refusal::kTargetForm;
  Target target{.form = TargetForm::kAbsolute, .scheme = text.substr(0, colon)};
  if (!equals_ignoring_case(target.scheme, "http") && !equals_ignoring_case(target.scheme, "https")) {
    return Refusal::kTargetForm;
  }
  const std::string_view rest = text.substr(colon + 3);
  const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  target.authority = rest.substr(0, end);
  std::string_view path = rest.substr(end);
  if (path.empty() || path.front() != '/') path = arena.concat("/", path);   // RFC 9110 4.2.3
  return parse_path_and_query(target, path, arena);
}

}   // namespace

std::string_view normalize_path(std::string_view path, Arena& arena) {
  if (is_normal(path)) return path;
  char* normal = arena.allocate_text(path.size());
  char* end = remove_segments(normal, decode_unreserved(path, normal));
  return {normal, static_cast<size_t>(end - normal)};
}

Result<Target, Refusal> parse_target(std::string_view text, Method method, Arena& arena) {
  if (text.empty()) return Refusal::kRequestLine;
  if (method == Method::kConnect) return Target{.form = TargetForm::kAuthority, .authority = text, .raw = text};
  if (text.front() == '/') return parse_path_and_query(Target{}, text, arena);
  if (text == "*") {
    if (method != Method::kOptions) return Refusal::kTargetForm;
    return Target{.form = TargetForm::kAsterisk, .raw = text, .path = text};
  }
  return parse_absolute(text, arena);
}

}   // namespace proxyd::http
