#include "shared/config/inherit.h"

#include <algorithm>

#include "shared/base/bytes.h"
#include "shared/config/json_read.h"
#include "shared/config/read_auth.h"
#include "shared/config/read_limits.h"

namespace proxyd::config {
namespace {

// One key of a merged object: its own value, the built-in one when dropped, else the inherited one.
MaybeDuration merged(const Json& json, const char* key, const MaybeDuration& inherited, const MaybeDuration& initial) {
  return duration_or(json, key, dropped(json, key) ? initial : inherited);
}
MaybeSize merged(const Json& json, const char* key, const MaybeSize& inherited, const MaybeSize& initial) {
  return size_or(json, key, dropped(json, key) ? initial : inherited);
}

Timeouts inherit_timeouts(const Json& json, const Timeouts& outer) {
  const Timeouts initial;
  const auto take = [&](const char* key, MaybeDuration Timeouts::* field) {
    return merged(json, key, outer.*field, initial.*field);
  };
  const auto said = maybe<std::string>(json, "deadline_header");
  return {.client_header = take("client_header", &Timeouts::client_header),
          .client_body = take("client_body", &Timeouts::client_body),
          .client_write = take("client_write", &Timeouts::client_write),
          .keepalive = take("keepalive", &Timeouts::keepalive),
          .connect = take("connect", &Timeouts::connect),
          .first_byte = take("first_byte", &Timeouts::first_byte),
          .between_bytes = take("between_bytes", &Timeouts::between_bytes),
          .tunnel = take("tunnel", &Timeouts::tunnel),
          .total = take("total", &Timeouts::total),
          .deadline_header = dropped(json, "deadline_header") ? std::nullopt
                             : said                           ? said
                                                              : outer.deadline_header};
}

Limits inherit_limits(const Json& json, const Limits& outer) {
  const Limits initial;
  const auto take = [&](const char* key, MaybeSize Limits::* field) {
    return merged(json, key, outer.*field, initial.*field);
  };
  return {.request_line = take("request_line", &Limits::request_line),
          .request_headers = take("request_headers", &Limits::request_headers),
          .header_count = take("header_count", &Limits::header_count),
          .request_body = take("request_body", &Limits::request_body),
          .response_headers = take("response_headers", &Limits::response_headers),
          .connections_per_client = take("connections_per_client", &Limits::connections_per_client)};
}

using FieldValues = std::map<std::string, FieldValue>;

// `pattern` is a name, or a prefix that ends in `*`.
bool matches(const std::string& name, const std::string& pattern) {
  if (!pattern.ends_with('*')) return equals_ignoring_case(name, pattern);
  const std::string_view prefix = std::string_view(pattern).substr(0, pattern.size() - 1);
  return equals_ignoring_case(std::string_view(name).substr(0, prefix.size()), prefix);
}

FieldValues without(FieldValues values, const std::string& pattern) {
  std::erase_if(values, [&pattern](const auto& entry) { return matches(entry.first, pattern); });
  return values;
}

// By field name, whatever its case: the inner one replaces the outer one, null drops it.
FieldValues merge_fields(const Json& edits, const char* key, FieldValues values) {
  if (dropped(edits, key)) return {};
  for (const auto& [name, value] : part(edits, key).items()) {
    values = without(std::move(values), name);
    if (value.is_null()) continue;
    const bool file = value.is_object();
    values[name] = {file ? value.at("file").get<std::string>() : value.get<std::string>(), file};
  }
  return values;
}

// A removal takes away what an outer level set, but not what is set beside it on its own level.
FieldEdits inherit_edits(const Json& json, const char* key, FieldEdits value) {
  if (dropped(json, key)) return {};
  const Json& edits = part(json, key);
  if (dropped(edits, "remove")) value.remove.clear();
  for (auto& name : value_or(edits, "remove", std::vector<std::string>())) {
    value.set = without(std::move(value.set), name);
    value.add = without(std::move(value.add), name);
    value.if_absent = without(std::move(value.if_absent), name);
    const bool known = std::find(value.remove.begin(), value.remove.end(), name) != value.remove.end();
    if (!known) value.remove.push_back(std::move(name));
  }
  value.set = merge_fields(edits, "set", std::move(value.set));
  value.add = merge_fields(edits, "add", std::move(value.add));
  value.if_absent = merge_fields(edits, "default", std::move(value.if_absent));
  return value;
}

std::optional<Rewrite> read_rewrite(const Json& json) {
  return Rewrite{.strip_prefix = maybe<std::string>(json, "strip_prefix"),
                 .add_prefix = maybe<std::string>(json, "add_prefix"),
                 .path = maybe<std::string>(json, "path")};
}

std::optional<std::string> inherit_cache(const Json& level, std::optional<std::string> inherited) {
  if (dropped(level, "cache")) return std::nullopt;
  const auto choice = maybe<std::string>(level, "cache");
  if (!choice) return inherited;
  return *choice == "off" ? std::nullopt : choice;
}

// All that are said on the way apply, the outer first; null drops those.
std::vector<std::string> with_own(std::vector<std::string> all, const std::vector<std::string>& own) {
  for (const std::string& name : own) {
    if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  }
  return all;
}

}   // namespace

Retry read_retry(const Json& json) {
  Retry retry;
  retry.retries = value_or(json, "retries", retry.retries);
  retry.methods = value_or(json, "methods", retry.methods);
  retry.budget_percent = value_or(json, "budget_percent", retry.budget_percent);
  const auto when = maybe<std::vector<std::string>>(json, "when");
  if (!when) return retry;
  retry.on_connect_error = retry.on_reset_before_response = false;
  for (const std::string& condition : *when) {
    if (condition == "connect_error") {
      retry.on_connect_error = true;
    } else if (condition == "reset_before_response") {
      retry.on_reset_before_response = true;
    } else {
      retry.on_statuses.push_back(std::stoi(condition));
    }
  }
  return retry;
}

OnTheWay inherit(const Json& level, OnTheWay value) {
  if (dropped(level, "timeouts")) value.timeouts = {};
  if (dropped(level, "limits")) value.limits = {};
  if (dropped(level, "headers")) value.headers = {};
  if (dropped(level, "retry")) value.retry.reset();
  if (dropped(level, "rewrite")) value.rewrite.reset();
  if (dropped(level, "raw_path")) value.raw_path = false;
  if (dropped(level, "access")) value.access.clear();
  if (dropped(level, "rate_limit")) value.rate_limits.clear();
  if (dropped(level, "bandwidth")) value.bandwidth.reset();
  if (dropped(level, "auth")) value.auth.clear();
  const auto given = [&level](const char* key) {
    const Json* json = member(level, key);
    return json && json->is_object();
  };
  value.timeouts = inherit_timeouts(part(level, "timeouts"), value.timeouts);
  value.limits = inherit_limits(part(level, "limits"), value.limits);
  value.headers.request = inherit_edits(part(level, "headers"), "request", std::move(value.headers.request));
  value.headers.response = inherit_edits(part(level, "headers"), "response", std::move(value.headers.response));
  if (given("retry")) value.retry = read_retry(part(level, "retry"));
  if (given("rewrite")) value.rewrite = read_rewrite(part(level, "rewrite"));
  if (given("auth")) value.auth.push_back(read_auth(part(level, "auth")));
  value.cache = inherit_cache(level, std::move(value.cache));
  if (const auto own = maybe<std::string>(level, "access")) value.access = with_own(std::move(value.access), {*own});
  value.rate_limits = with_own(std::move(value.rate_limits), value_or(level, "rate_limit", std::vector<std::string>()));
  if (given("bandwidth")) value.bandwidth = read_bandwidth(part(level, "bandwidth"));
  value.raw_path = value_or(level, "raw_path", value.raw_path);
  return value;
}

}   // namespace proxyd::config
