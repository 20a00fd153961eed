#include "worker/proxy/purge_ban.h"

#include <fmt/format.h>

namespace proxyd::proxy {
namespace {

std::string syntax_fault_of(std::string_view expression) {
  const std::string fault = cache::BanExpression(expression).fault();
  return fault.empty() ? "" : fmt::format("RE2 takes no such expression: {}; nothing is purged", fault);
}

std::string fault_of(std::string_view expression) {
  if (expression.size() > cache::kMostBanText)
    return fmt::format("an expression has {} octets at most, in all its spellings; nothing is purged",
                       cache::kMostBanText);
  if (cache::BanExpression(expression).is_too_large())
    return "the expression is too large once its repetitions are written out; nothing is purged";
  return syntax_fault_of(expression);
}

// A spelling that is no expression is not what was meant; the first is as it was written.
PurgeBan ban_of_paths(const std::vector<std::string_view>& spellings) {
  PurgeBan ban{.kind = cache::BanKind::path, .expression = std::string(spellings.front())};
  ban.fault = fault_of(spellings.front());
  for (const std::string_view other : std::span(spellings).subspan(1)) {
    if (ban.fault.empty() && cache::BanExpression(other).fault().empty())
      ban.expression = fmt::format("(?:{})|(?:{})", ban.expression, other);
  }
  if (ban.fault.empty()) ban.fault = fault_of(ban.expression);
  return ban;
}

}   // namespace

std::optional<PurgeBan> ban_of(const caching::PurgeRequest& purge) {
  if (purge.expressions.empty()) return std::nullopt;
  if (purge.subject == caching::PurgeRequest::Subject::kPaths) return ban_of_paths(purge.expressions);
  PurgeBan ban{.kind = cache::BanKind::tagged};
  for (const std::string_view expression : purge.expressions) {
    if (ban.fault.empty()) ban.fault = syntax_fault_of(expression);   // it is not matched, however large
  }
  return ban;
}

}   // namespace proxyd::proxy
