#include "shared/config/build_model.h"

#include <utility>

#include "shared/config/inherit.h"
#include "shared/config/json_read.h"
#include "shared/config/read_cache.h"
#include "shared/config/read_limits.h"
#include "shared/config/read_tls.h"
#include "shared/config/read_upstream.h"

namespace proxyd::config {
namespace {

using Strings = std::vector<std::string>;

std::vector<Condition> read_conditions(const Json& match, const char* key) {
  std::vector<Condition> conditions;
  for (const auto& [name, value] : part(match, key).items()) {
    if (value.is_object()) {
      const auto expression = maybe<std::string>(value, "regex");
      const auto kind = expression ? Condition::Kind::kRegex : Condition::Kind::kAbsent;
      conditions.push_back({name, kind, expression.value_or("")});
    } else if (value == "*") {
      conditions.push_back({name, Condition::Kind::kPresent, ""});
    } else {
      conditions.push_back({name, Condition::Kind::kEquals, value.get<std::string>()});
    }
  }
  return conditions;
}

Match read_match(const Json& json) {
  Match match;
  constexpr std::pair<const char*, Match::Path> kKinds[] = {
      {"path", Match::Path::kExact}, {"path_prefix", Match::Path::kPrefix}, {"path_regex", Match::Path::kRegex}};
  for (const auto& [key, kind] : kKinds) {
    const auto path = maybe<std::string>(json, key);
    if (!path) continue;
    match.path_kind = kind;
    match.path = *path;
  }
  match.methods = value_or(json, "methods", Strings());
  match.host = maybe<std::string>(json, "host");
  match.scheme = maybe<std::string>(json, "scheme");
  match.client = value_or(json, "client", Strings());
  match.headers = read_conditions(json, "header");
  match.query = read_conditions(json, "query");
  match.cookies = read_conditions(json, "cookie");
  return match;
}

Split read_split(const Json& json) {
  Split split;
  split.upstreams = value_or(json, "upstreams", split.upstreams);
  split.by = value_or(json, "by", split.by);
  const bool shared = value_or<std::string>(json, "cache", "separate") == "shared";
  split.cache = shared ? SplitCache::kShared : SplitCache::kSeparate;
  return split;
}

Redirect read_redirect(const Json& json) {
  Redirect redirect;
  redirect.to = value_or(json, "to", redirect.to);
  redirect.status = value_or(json, "status", redirect.status);
  return redirect;
}

Respond read_respond(const Json& json) {
  Respond respond;
  respond.status = value_or(json, "status", respond.status);
  respond.body = value_or(json, "body", respond.body);
  respond.content_type = value_or(json, "content_type", respond.content_type);
  return respond;
}

Route read_route(const Json& json, const OnTheWay& inherited) {
  Route route;
  route.name = value_or(json, "name", route.name);
  route.match = read_match(part(json, "match"));
  route.upstream = maybe<std::string>(json, "upstream");
  route.ready = value_or(json, "ready", false);
  if (const Json* split = member(json, "split")) route.split = read_split(*split);
  if (const Json* redirect = member(json, "redirect")) route.redirect = read_redirect(*redirect);
  if (const Json* respond = member(json, "respond")) route.respond = read_respond(*respond);
  OnTheWay own = inherit(json, inherited);
  route.timeouts = own.timeouts;
  route.limits = own.limits;
  route.headers = std::move(own.headers);
  route.retry = std::move(own.retry);
  route.rewrite = std::move(own.rewrite);
  route.cache = std::move(own.cache);
  route.access = std::move(own.access);
  route.rate_limits = std::move(own.rate_limits);
  route.bandwidth = own.bandwidth;
  route.auth = std::move(own.auth);
  route.raw_path = own.raw_path;
  return route;
}

Host read_host(const std::string& name, const Json& json, const OnTheWay& inherited) {
  Host host;
  host.name = name;
  host.names = value_or(json, "names", Strings());
  host.listeners = value_or(json, "listeners", Strings());
  host.first_match = value_or(json, "first_match", false);
  if (const Json* purge = member(json, "purge")) host.purge = read_purge(*purge);
  if (const Json* client_auth = member(json, "client_auth")) host.client_auth = read_client_auth(*client_auth);
  if (const Json* force_https = member(json, "force_https")) host.force_https = read_force_https(*force_https);
  host.maintenance = value_or(json, "maintenance", false);
  for (const auto& [status, file] : part(json, "error_pages").items())
    host.error_pages[std::stoi(status)] = file.get<std::string>();
  const OnTheWay own = inherit(json, inherited);
  host.headers = own.headers;
  const Json* routes = member(json, "routes");
  for (size_t i = 0; routes && i < routes->size(); ++i) host.routes.push_back(read_route((*routes)[i], own));
  return host;
}

ProxyProtocol read_proxy_protocol(const Json& json) {
  const std::string word = value_or<std::string>(json, "proxy_protocol", "off");
  if (word == "v1") return ProxyProtocol::kV1;
  if (word == "v2") return ProxyProtocol::kV2;
  return word == "any" ? ProxyProtocol::kAny : ProxyProtocol::kOff;
}

UnderscoreFields read_underscore_fields(const Json& json) {
  const std::string word = value_or<std::string>(json, "underscore_fields", "reject");
  if (word == "drop") return UnderscoreFields::kDrop;
  return word == "pass" ? UnderscoreFields::kPass : UnderscoreFields::kReject;
}

Listener read_listener(const std::string& name, const Json& json) {
  Listener listener;
  listener.name = name;
  listener.addresses = value_or(json, "addresses", Strings());
  listener.protocols = read_protocols(json);
  if (const Json* tls = member(json, "tls")) listener.tls = read_listener_tls(*tls);
  listener.proxy_protocol = read_proxy_protocol(json);
  listener.backlog = value_or(json, "backlog", listener.backlog);
  listener.freebind = value_or(json, "freebind", false);
  listener.max_connections = size_or(json, "max_connections", listener.max_connections);
  listener.underscore_fields = read_underscore_fields(json);
  return listener;
}

AccessLog read_access_log(const Json& json) {
  AccessLog log;
  log.to = value_or<std::string>(json, "to", "stdout") == "file" ? AccessLog::Sink::kFile : AccessLog::Sink::kStdout;
  log.file = value_or(json, "file", log.file);
  const bool combined = value_or<std::string>(json, "format", "json") == "combined";
  log.format = combined ? AccessLog::Format::kCombined : AccessLog::Format::kJson;
  log.unless_paths = value_or(part(json, "unless"), "path", Strings());
  return log;
}

Logging read_logging(const Json& json) {
  Logging logging;
  const Json* access = member(json, "access");
  for (size_t i = 0; access && i < access->size(); ++i) logging.access.push_back(read_access_log((*access)[i]));
  logging.redact_query = value_or(json, "redact_query", logging.redact_query);
  const Json& error = part(json, "error");
  logging.error.to = value_or(error, "to", logging.error.to);
  logging.error.file = value_or(error, "file", logging.error.file);
  logging.error.level = value_or(error, "level", logging.error.level);
  return logging;
}

}   // namespace

Document build_model(const Json& canonical) {
  Document document;
  const Json& defaults = part(canonical, "defaults");
  const OnTheWay outermost = inherit(defaults, {});
  document.trusted_proxies = value_or(defaults, "trusted_proxies", Strings());
  document.timeouts = outermost.timeouts;
  document.limits = outermost.limits;
  document.headers = outermost.headers;
  document.cache_status = value_or<std::string>(defaults, "cache_status", "on") == "on";
  document.cache = read_cache(part(canonical, "cache"));
  for (const auto& [name, json] : part(canonical, "cache_policies").items())
    document.cache_policies[name] = read_cache_policy(name, json, document.cache);
  for (const auto& [name, json] : part(canonical, "access_lists").items())
    document.access_lists[name] = read_access_list(name, json);
  for (const auto& [name, json] : part(canonical, "rate_limits").items())
    document.rate_limits[name] = read_rate_limit(name, json);
  for (const auto& [name, json] : part(canonical, "listeners").items())
    document.listeners[name] = read_listener(name, json);
  for (const auto& [name, json] : part(canonical, "certificates").items())
    document.certificates[name] = read_certificate(name, json);
  for (const auto& [name, json] : part(canonical, "upstreams").items())
    document.upstreams[name] = read_upstream(name, json);
  for (const auto& [name, json] : part(canonical, "hosts").items()) {
    document.hosts[name] = read_host(name, json, outermost);
  }
  document.logging = read_logging(part(canonical, "logging"));
  return document;
}

}   // namespace proxyd::config
