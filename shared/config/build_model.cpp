#include "shared/config/build_model.h"

#include "shared/base/bytes.h"
#include "shared/config/units.h"

#include <algorithm>

namespace proxyd::config {
namespace {

const Json* member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// Readers for one key: what is absent keeps the value it has, which is the default or what was inherited.
void read(const Json& object, const char* key, MaybeDuration& value) {
  const Json* json = member(object, key);
  if (!json || json->is_null()) return;
  const auto text = json->get<std::string>();
  value = text == "off" ? std::nullopt : MaybeDuration(Duration(parse_duration(text).value_or(0)));
}

void read(const Json& object, const char* key, Duration& value) {
  MaybeDuration maybe = value;
  read(object, key, maybe);
  value = maybe.value_or(value);
}

// A size, or a count.
void read(const Json& object, const char* key, MaybeSize& value) {
  const Json* json = member(object, key);
  if (!json || json->is_null()) return;
  if (json->is_number()) {
    value = json->get<uint64_t>();
  } else {
    value = *json == "off" ? std::nullopt : parse_size(json->get<std::string>());
  }
}

template <class T>
void read_as(const Json& object, const char* key, T& value) {
  const Json* json = member(object, key);
  if (json && !json->is_null()) value = json->get<T>();
}

template <class T>
void read_maybe(const Json& object, const char* key, std::optional<T>& value) {
  const Json* json = member(object, key);
  if (json && !json->is_null()) value = json->get<T>();
}

// What a level of the document says about the keys "on the way", over what it inherits.
struct OnTheWay {
  Timeouts timeouts;
  Limits limits;
  HeaderEdits headers;
  std::optional<Retry> retry;
  std::optional<Rewrite> rewrite;
  Websocket websocket;
  bool raw_path = false;
};

// Null drops what is inherited: back to the default.
bool dropped(const Json& object, const char* key) {
  const Json* json = member(object, key);
  return json && json->is_null();
}

Timeouts read_timeouts(const Json& json, Timeouts value) {
  const Timeouts defaults;
  const auto take = [&json](const char* key, MaybeDuration& mine, const MaybeDuration& initial) {
    if (dropped(json, key)) mine = initial;
    read(json, key, mine);
  };
  take("client_header", value.client_header, defaults.client_header);
  take("client_body", value.client_body, defaults.client_body);
  take("client_write", value.client_write, defaults.client_write);
  take("keepalive", value.keepalive, defaults.keepalive);
  take("connect", value.connect, defaults.connect);
  take("first_byte", value.first_byte, defaults.first_byte);
  take("between_bytes", value.between_bytes, defaults.between_bytes);
  take("tunnel", value.tunnel, defaults.tunnel);
  take("total", value.total, defaults.total);
  return value;
}

Limits read_limits(const Json& json, Limits value) {
  const Limits defaults;
  const auto take = [&json](const char* key, MaybeSize& mine, const MaybeSize& initial) {
    if (dropped(json, key)) mine = initial;
    read(json, key, mine);
  };
  take("request_line", value.request_line, defaults.request_line);
  take("request_headers", value.request_headers, defaults.request_headers);
  take("header_count", value.header_count, defaults.header_count);
  take("request_body", value.request_body, defaults.request_body);
  take("response_headers", value.response_headers, defaults.response_headers);
  return value;
}

using FieldValues = std::map<std::string, FieldValue>;

// By field name, whatever its case: the inner one replaces the outer one.
void merge_field(FieldValues& values, const std::string& name, FieldValue value) {
  for (auto it = values.begin(); it != values.end(); ++it) {
    if (!equals_ignoring_case(it->first, name)) continue;
    values.erase(it);
    break;
  }
  values[name] = std::move(value);
}

void merge_fields(const Json& edits, const char* key, FieldValues& values) {
  const Json* json = member(edits, key);
  if (!json) return;
  for (const auto& [name, value] : json->items()) {
    const bool file = value.is_object();
    merge_field(values, name, {file ? value.at("file").get<std::string>() : value.get<std::string>(), file});
  }
}

FieldEdits read_edits(const Json& json, const char* key, FieldEdits value) {
  if (dropped(json, key)) return {};
  const Json* edits = member(json, key);
  if (!edits) return value;
  merge_fields(*edits, "set", value.set);
  merge_fields(*edits, "add", value.add);
  merge_fields(*edits, "default", value.if_absent);
  const Json* remove = member(*edits, "remove");
  for (const std::string name : remove ? *remove : Json::array()) {
    if (std::find(value.remove.begin(), value.remove.end(), name) == value.remove.end()) value.remove.push_back(name);
  }
  return value;
}

Retry read_retry(const Json& json) {
  Retry retry;
  read_as(json, "retries", retry.retries);
  read_as(json, "methods", retry.methods);
  read_as(json, "budget_percent", retry.budget_percent);
  const Json* when = member(json, "when");
  if (!when) return retry;
  retry.on_connect_error = retry.on_reset_before_response = false;
  for (const auto& condition : *when) {
    const auto text = condition.get<std::string>();
    if (text == "connect_error") {
      retry.on_connect_error = true;
    } else if (text == "reset_before_response") {
      retry.on_reset_before_response = true;
    } else {
      retry.on_statuses.push_back(std::stoi(text));
    }
  }
  return retry;
}

OnTheWay read_on_the_way(const Json& json, OnTheWay value) {
  const Json empty = Json::object();
  const auto part = [&](const char* key) -> const Json& {
    const Json* found = member(json, key);
    return found && found->is_object() ? *found : empty;
  };
  if (dropped(json, "timeouts")) value.timeouts = {};
  if (dropped(json, "limits")) value.limits = {};
  if (dropped(json, "headers")) value.headers = {};
  if (dropped(json, "retry")) value.retry.reset();
  if (dropped(json, "rewrite")) value.rewrite.reset();
  if (dropped(json, "websocket")) value.websocket = {};
  if (dropped(json, "raw_path")) value.raw_path = false;
  value.timeouts = read_timeouts(part("timeouts"), value.timeouts);
  value.limits = read_limits(part("limits"), value.limits);
  value.headers.request = read_edits(part("headers"), "request", value.headers.request);
  value.headers.response = read_edits(part("headers"), "response", value.headers.response);
  if (!part("retry").empty() || (member(json, "retry") && member(json, "retry")->is_object())) value.retry = read_retry(part("retry"));
  if (const Json* rewrite = member(json, "rewrite"); rewrite && rewrite->is_object()) {
    Rewrite made;
    read_maybe(*rewrite, "strip_prefix", made.strip_prefix);
    read_maybe(*rewrite, "add_prefix", made.add_prefix);
    read_maybe(*rewrite, "path", made.path);
    value.rewrite = made;
  }
  read(part("websocket"), "drain", value.websocket.drain);
  read_as(json, "raw_path", value.raw_path);
  return value;
}

std::vector<Condition> read_conditions(const Json& match, const char* key) {
  std::vector<Condition> conditions;
  const Json* json = member(match, key);
  if (!json) return conditions;
  for (const auto& [name, value] : json->items()) {
    if (value.is_object()) {
      const bool absent = value.contains("absent");
      conditions.push_back({name, absent ? Condition::Kind::kAbsent : Condition::Kind::kRegex, absent ? "" : value.at("regex").get<std::string>()});
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
  const std::pair<const char*, Match::Path> kinds[] = {{"path", Match::Path::kExact}, {"path_prefix", Match::Path::kPrefix}, {"path_regex", Match::Path::kRegex}};
  for (const auto& [key, kind] : kinds) {
    if (!member(json, key)) continue;
    match.path_kind = kind;
    read_as(json, key, match.path);
  }
  read_as(json, "methods", match.methods);
  read_maybe(json, "host", match.host);
  read_maybe(json, "scheme", match.scheme);
  read_as(json, "client", match.client);
  match.headers = read_conditions(json, "header");
  match.query = read_conditions(json, "query");
  match.cookies = read_conditions(json, "cookie");
  return match;
}

Route read_route(const Json& json, const OnTheWay& inherited) {
  Route route;
  read_as(json, "name", route.name);
  if (const Json* match = member(json, "match")) route.match = read_match(*match);
  read_maybe(json, "upstream", route.upstream);
  read_as(json, "ready", route.ready);
  if (const Json* split = member(json, "split")) {
    route.split.emplace();
    read_as(*split, "upstreams", route.split->upstreams);
    read_as(*split, "by", route.split->by);
  }
  if (const Json* redirect = member(json, "redirect")) {
    route.redirect.emplace();
    read_as(*redirect, "to", route.redirect->to);
    read_as(*redirect, "status", route.redirect->status);
  }
  if (const Json* respond = member(json, "respond")) {
    route.respond.emplace();
    read_as(*respond, "status", route.respond->status);
    read_as(*respond, "body", route.respond->body);
    read_as(*respond, "content_type", route.respond->content_type);
  }
  const OnTheWay own = read_on_the_way(json, inherited);
  route.timeouts = own.timeouts;
  route.limits = own.limits;
  route.headers = own.headers;
  route.retry = own.retry;
  route.rewrite = own.rewrite;
  route.websocket = own.websocket;
  route.raw_path = own.raw_path;
  return route;
}

Host read_host(const std::string& name, const Json& json, const OnTheWay& inherited) {
  Host host;
  host.name = name;
  read_as(json, "names", host.names);
  read_as(json, "listeners", host.listeners);
  read_as(json, "first_match", host.first_match);
  const OnTheWay own = read_on_the_way(json, inherited);
  host.headers = own.headers;
  const Json* routes = member(json, "routes");
  for (const auto& route : routes ? *routes : Json::array()) host.routes.push_back(read_route(route, own));
  return host;
}

Listener read_listener(const std::string& name, const Json& json) {
  Listener listener;
  listener.name = name;
  read_as(json, "addresses", listener.addresses);
  std::string word = "off";
  read_as(json, "proxy_protocol", word);
  listener.proxy_protocol = word == "v1" ? ProxyProtocol::kV1 : word == "v2" ? ProxyProtocol::kV2 : word == "any" ? ProxyProtocol::kAny : ProxyProtocol::kOff;
  read_as(json, "backlog", listener.backlog);
  read_as(json, "freebind", listener.freebind);
  read(json, "max_connections", listener.max_connections);
  word = "reject";
  read_as(json, "underscore_fields", word);
  listener.underscore_fields = word == "drop" ? UnderscoreFields::kDrop : word == "pass" ? UnderscoreFields::kPass : UnderscoreFields::kReject;
  return listener;
}

Upstream read_upstream(const std::string& name, const Json& json) {
  Upstream upstream;
  upstream.name = name;
  std::string balance = "p2c";
  read_as(json, "balance", balance);
  upstream.balance = balance == "round_robin" ? Balance::kRoundRobin : Balance::kP2c;
  read_as(json, "host", upstream.host);
  if (const Json* keepalive = member(json, "keepalive")) {
    read_as(*keepalive, "max_idle", upstream.keepalive.max_idle);
    read(*keepalive, "idle_timeout", upstream.keepalive.idle_timeout);
    read(*keepalive, "max_requests", upstream.keepalive.max_requests);
    read(*keepalive, "max_age", upstream.keepalive.max_age);
  }
  if (const Json* retry = member(json, "retry")) upstream.retry = read_retry(*retry);
  const Json none = Json::object();
  const Json* targets = member(json, "targets");
  for (const auto& [id, value] : (targets ? *targets : none).items()) {
    Target target{.id = id};
    read_as(value, "address", target.address);
    read_as(value, "weight", target.weight);
    read_as(value, "backup", target.backup);
    read(value, "max_connections", target.max_connections);
    upstream.targets[id] = target;
  }
  return upstream;
}

Logging read_logging(const Json& json) {
  Logging logging;
  const Json* access = member(json, "access");
  for (const auto& value : access ? *access : Json::array()) {
    AccessLog log;
    log.to = value.at("to") == "file" ? AccessLog::Sink::kFile : AccessLog::Sink::kStdout;
    read_as(value, "file", log.file);
    std::string format = "json";
    read_as(value, "format", format);
    log.format = format == "combined" ? AccessLog::Format::kCombined : AccessLog::Format::kJson;
    if (const Json* unless = member(value, "unless")) read_as(*unless, "path", log.unless_paths);
    logging.access.push_back(log);
  }
  read_as(json, "redact_query", logging.redact_query);
  if (const Json* error = member(json, "error")) {
    read_as(*error, "to", logging.error.to);
    read_as(*error, "file", logging.error.file);
    read_as(*error, "level", logging.error.level);
  }
  return logging;
}

}  // namespace

Document build_model(const Json& canonical) {
  Document document;
  const Json empty = Json::object();
  const auto part = [&](const char* key) -> const Json& {
    const Json* found = member(canonical, key);
    return found ? *found : empty;
  };
  const OnTheWay defaults = read_on_the_way(part("defaults"), {});
  read_as(part("defaults"), "trusted_proxies", document.trusted_proxies);
  document.timeouts = defaults.timeouts;
  document.limits = defaults.limits;
  document.headers = defaults.headers;
  for (const auto& [name, json] : part("listeners").items()) document.listeners[name] = read_listener(name, json);
  for (const auto& [name, json] : part("upstreams").items()) document.upstreams[name] = read_upstream(name, json);
  for (const auto& [name, json] : part("hosts").items()) document.hosts[name] = read_host(name, json, defaults);
  document.logging = read_logging(part("logging"));
  return document;
}

}  // namespace proxyd::config
