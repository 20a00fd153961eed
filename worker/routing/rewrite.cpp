#include "worker/routing/rewrite.h"

#include "shared/base/bytes.h"
#include "worker/http/characters.h"

namespace proxyd::routing {

bool has_prefix(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  return prefix.ends_with('/') || path.size() == prefix.size() || path[prefix.size()] == '/';
}

std::string_view strip_prefix(std::string_view path, std::string_view prefix) {
  if (!has_prefix(path, prefix)) return path;
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  path.remove_prefix(prefix.size());
  return path.empty() ? "/" : path;
}

namespace {

// A rendered text as the path that it means: what a path may not hold, or would end it, is percent-encoded, for a
// variable may hold anything that a field may.
std::string_view as_path(std::string_view text, http::Arena& arena) {
  const auto fits = [text](size_t at) {
    if (text[at] == '%') return at + 2 < text.size() && hex_value(text[at + 1]) >= 0 && hex_value(text[at + 2]) >= 0;
    return text[at] != '?' && http::is_in(text[at], http::character::kTarget);
  };
  size_t unfit = 0;
  for (size_t at = 0; at < text.size(); ++at) unfit += fits(at) ? 0 : 1;
  if (unfit == 0) return text;
  constexpr char kDigits[] = "0123456789ABCDEF";
  const size_t size = text.size() + 2 * unfit;
  char* encoded = arena.allocate_text(size);
  char* to = encoded;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto octet = static_cast<unsigned char>(text[at]);
    *to++ = fits(at) ? text[at] : '%';
    if (fits(at)) continue;
    *to++ = kDigits[octet >> 4];
    *to++ = kDigits[octet & 15];
  }
  return {encoded, size};
}

}   // namespace

Rewrite::Rewrite(const config::Rewrite& rules) : rules_(rules), path_(rules.path.value_or("")) {}

std::string_view Rewrite::apply(std::string_view path, const RequestFacts& facts, http::Arena& arena) const {
  if (rules_.path) path = as_path(path_.render(facts, arena), arena);
  if (rules_.strip_prefix) path = strip_prefix(path, *rules_.strip_prefix);
  if (rules_.add_prefix) {
    const std::string_view prefix = as_path(*rules_.add_prefix, arena);
    path = arena.concat(prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix, path);
  }
  if (!path.starts_with('/')) path = arena.concat("/", path);
  return http::normalize_path(path, arena);
}

}   // namespace proxyd::routing
