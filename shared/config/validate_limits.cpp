#include "shared/config/validate_limits.h"

#include <fmt/format.h>

#include <map>

#include "shared/config/cidr.h"

namespace proxyd::config {
namespace {

constexpr size_t kMostNetworks = 65'536;
constexpr double kLongestFilling = 30.0 * 86'400'000;   // milliseconds

// The same network is denied and allowed, and nothing longer could decide.
void check_networks(const AccessList& list, const std::string& pointer, FindingsList& findings) {
  std::map<std::pair<std::array<uint8_t, 16>, int>, const std::string*> allowed;
  for (const std::string& text : list.allow) {
    if (const auto network = Cidr::parse(text)) allowed[{network->first(), network->prefix()}] = &text;
  }
  for (size_t i = 0; i < list.deny.size(); ++i) {
    const auto network = Cidr::parse(list.deny[i]);
    if (!network || !allowed.contains({network->first(), network->prefix()})) continue;
    findings.problem(fmt::format("{}/deny/{}", pointer, i), "clash",
                     fmt::format("'{}' is in 'allow' as well", list.deny[i]));
  }
}

void check_access_lists(const Document& document, FindingsList& findings) {
  size_t networks = 0;
  for (const auto& [name, list] : document.access_lists) {
    const std::string pointer = "/access_lists/" + name;
    networks += list.allow.size() + list.deny.size();
    check_networks(list, pointer, findings);
    if (list.allow.empty() && list.deny.empty())
      findings.warning(pointer, "empty", fmt::format("access list '{}' names no network: it allows everyone", name));
  }
  if (networks <= kMostNetworks) return;
  findings.problem("/access_lists", "range",
                   fmt::format("{} networks in all, at most {} can be", networks, kMostNetworks));
}

void check_rate_limit(const Document& document, const RateLimit& limit, const std::string& pointer,
                      FindingsList& findings) {
  if (limit.except) findings.refer(document.access_lists, *limit.except, pointer + "/except", "access list");
  if (limit.fallback && *limit.fallback == limit.key)
    findings.problem(pointer + "/fallback", "no-effect", fmt::format("'{}' is the key itself", limit.key));
  const bool window = limit.type == RateLimit::Type::kWindow;
  if (window && limit.burst > 0)
    findings.problem(pointer + "/burst", "exclusive", "a window has no burst: it admits its rate in any such time");
  const auto fills_in = static_cast<double>(limit.per.count()) * static_cast<double>(limit.rate + limit.burst) /
                        static_cast<double>(limit.rate);
  if (!window && fills_in > kLongestFilling)
    findings.problem(pointer + "/burst", "range",
                     "at this rate it takes more than 30 days to fill the bucket: take a smaller burst");
}

}   // namespace

void validate_limits(const Document& document, FindingsList& findings) {
  check_access_lists(document, findings);
  for (const auto& [name, limit] : document.rate_limits)
    check_rate_limit(document, limit, "/rate_limits/" + name, findings);
}

}   // namespace proxyd::config
