#include "worker/routing/rewrite.h"

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

Rewrite::Rewrite(const config::Rewrite& rules) : rules_(rules), path_(rules.path.value_or("")) {}

std::string_view Rewrite::apply(std::string_view path, const RequestFacts& facts, http::Arena& arena) const {
  if (rules_.path) path = path_.render(facts, arena);
  if (rules_.strip_prefix) path = strip_prefix(path, *rules_.strip_prefix);
  if (rules_.add_prefix) {
    const std::string_view prefix = *rules_.add_prefix;
    path = arena.concat(prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix, path);
  }
  if (!path.starts_with('/')) path = arena.concat("/", path);
  return http::normalize_path(path, arena);
}

}  // namespace proxyd::routing
