#include "master/site_override.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace proxyd::master {
namespace {

constexpr std::string_view kHost = "host:";
constexpr std::string_view kRoute = "route:";
constexpr std::string_view kMaintenance = ":maintenance";
constexpr std::string_view kSplit = ":split";

// Of RFC 3339 as the store has it, in milliseconds since 1970; 0 for no time.
int64_t milliseconds_of(const std::string& time) {
  std::tm utc{};
  int thousandths = 0;
  const int read = std::sscanf(time.c_str(), "%d-%d-%dT%d:%d:%d.%dZ", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
                               &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &thousandths);
  if (read != 7) return 0;
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  return int64_t{::timegm(&utc)} * 1000 + thousandths;
}

}   // namespace

std::optional<SiteSubject> SiteSubject::parse(std::string_view text) {
  const bool of_host = text.starts_with(kHost);
  if (!of_host && !text.starts_with(kRoute)) return std::nullopt;
  text.remove_prefix(of_host ? kHost.size() : kRoute.size());
  const std::string_view aspect = of_host ? kMaintenance : kSplit;
  if (!text.ends_with(aspect)) return std::nullopt;
  text.remove_suffix(aspect.size());
  if (of_host) return SiteSubject{std::string(text), ""};
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return SiteSubject{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

std::string SiteSubject::text() const {
  if (route.empty()) return fmt::format("{}{}{}", kHost, host, kMaintenance);
  return fmt::format("{}{}/{}{}", kRoute, host, route, kSplit);
}

std::optional<Shares> read_shares(std::string_view text) {
  Shares shares;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(' '));
    const size_t equals = one.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    uint32_t share = 0;
    const auto [end, error] = std::from_chars(one.data() + equals + 1, one.data() + one.size(), share);
    if (error != std::errc() || end != one.data() + one.size()) return std::nullopt;
    shares[std::string(one.substr(0, equals))] = share;
    text.remove_prefix(std::min(one.size() + 1, text.size()));
  }
  return shares;
}

std::string text_of(const Shares& shares) {
  std::string text;
  for (const auto& [name, share] : shares) text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, share);
  return text;
}

const config::Split* split_of(const SiteSubject& subject, const config::Document& document) {
  const auto host = document.hosts.find(subject.host);
  if (host == document.hosts.end()) return nullptr;
  const auto& routes = host->second.routes;
  const auto route = std::find_if(routes.begin(), routes.end(),
                                  [&subject](const config::Route& one) { return one.name == subject.route; });
  return route != routes.end() && route->split ? &*route->split : nullptr;
}

Shares with_shares(const config::Split& split, const Shares& others) {
  Shares shares = split.upstreams;
  for (const auto& [name, share] : others) shares[name] = share;
  return shares;
}

bool is_site_named(const SiteSubject& subject, const store::Override& one, const config::Document& document) {
  if (subject.route.empty()) return document.hosts.contains(subject.host);
  const config::Split* split = split_of(subject, document);
  const auto shares = read_shares(one.value);
  if (!split || !shares) return false;
  const Shares all = with_shares(*split, *shares);
  const auto has_part = [](const auto& entry) { return entry.second > 0; };
  return all.size() == split->upstreams.size() && std::any_of(all.begin(), all.end(), has_part);
}

void apply_site_override(config::Materials& materials, const config::Document& document, const store::Override& one) {
  const auto subject = SiteSubject::parse(one.subject);
  if (!subject || !is_site_named(*subject, one, document)) return;
  if (subject->route.empty()) {
    materials.closed_hosts[subject->host] = {milliseconds_of(one.expires)};
    return;
  }
  materials.shares[subject->host + "/" + subject->route] =
      with_shares(*split_of(*subject, document), *read_shares(one.value));
}

}   // namespace proxyd::master
