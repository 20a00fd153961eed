#include "shared/config/text_format.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "shared/base/bytes.h"
#include "shared/config/cidr.h"
#include "shared/config/endpoint.h"
#include "shared/config/template_text.h"

namespace proxyd::config {
namespace {

bool all(std::string_view text, bool (*fits)(char)) { return std::all_of(text.begin(), text.end(), fits); }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_token(std::string_view text) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos; };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

TextFault check_name(std::string_view text) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-'; };
  const bool ok = !text.empty() && text.size() <= 64 && all(text, fits);
  return {ok ? "" : "is no name: 1 to 64 of letters, digits, '.', '_' and '-'"};
}

// Fields that framing and the connection live by are ours alone (RFC 9110 7.6.1, RFC 9112 6).
TextFault check_field_name(std::string_view text) {
  constexpr std::array<std::string_view, 10> kOurs = {"connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"};
  if (!is_token(text)) return {"is no field name"};
  const bool ours = std::any_of(kOurs.begin(), kOurs.end(), [text](std::string_view name) { return equals_ignoring_case(name, text); });
  if (ours) return {"cannot be edited: it belongs to the connection or frames the message (an upstream's Host: upstreams.NAME.host)"};
  return {};
}

TextFault check_template(std::string_view text) {
  if (has_control(text)) return {"holds a control character"};
  const auto parts = parse_template(text);
  return {parts ? "" : fmt::format("has {}", parts.error().message)};
}

TextFault check_regex(std::string_view text) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(4 << 20);
  const RE2 expression(std::string(text), options);
  return {expression.ok() ? "" : fmt::format("is no RE2 expression: {}", expression.error())};
}

TextFault check_path(std::string_view text) {
  if (!text.starts_with('/')) return {"is no path: it must begin with '/'"};
  const bool ok = !has_control(text) && text.find_first_of(" ?#") == std::string_view::npos;
  return {ok ? "" : "holds what no path may: a space, '?', '#' or a control character"};
}

TextFault check_host_pattern(std::string_view text) {
  if (text == "*") return {};
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.starts_with('[')) return {parse_mapped_address(text.substr(1, text.size() < 2 ? 0 : text.size() - 2)) ? "" : "is no IPv6 address"};
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_'; };
  const bool ok = !text.empty() && text.size() <= 253 && all(text, fits) && text.front() != '.' && text.find("..") == std::string_view::npos;
  return {ok ? "" : "is no host name; a wildcard is \"*.name\" or \"*\" alone"};
}

TextFault check_target_address(std::string_view text) {
  if (text.starts_with("srv:")) return {"is looked up by SRV records", true};
  const auto endpoint = Endpoint::parse(text);
  const bool ok = endpoint && (endpoint->kind == Endpoint::Kind::kUnix || !endpoint->host.empty());
  return {ok ? "" : "is no address: write \"host:port\" or \"unix:/path\""};
}

TextFault check_split_key(std::string_view text) {
  if (text == "client_ip") return {};
  for (const std::string_view prefix : {"header:", "cookie:", "query:"}) {
    if (text.starts_with(prefix) && text.size() > prefix.size()) return {};
  }
  return {"is none of client_ip, header:NAME, cookie:NAME, query:NAME"};
}

TextFault check_retry_condition(std::string_view text) {
  const bool status = text.size() == 3 && all(text, is_digit) && text[0] >= '4' && text[0] <= '5';
  const bool ok = status || text == "connect_error" || text == "reset_before_response";
  return {ok ? "" : "is none of connect_error, reset_before_response, \"400\" to \"599\""};
}

TextFault check_field_pattern(std::string_view text) {
  if (text.ends_with('*')) return {is_token(text) && text.size() > 1 ? "" : "is no field name or prefix with '*'"};
  return check_field_name(text);
}

TextFault check_upstream_host(std::string_view text) {
  if (text == "keep" || text == "target") return {};
  const bool wildcard = text.find('*') != std::string_view::npos;
  const size_t colon = text.rfind(':');
  return {!wildcard && check_host_pattern(text.substr(0, colon)).ok() ? "" : "is none of keep, target, or a host name"};
}

}  // namespace

TextFault check_text(TextFormat format, std::string_view text) {
  switch (format) {
    case TextFormat::kAny: return {};
    case TextFormat::kNotEmpty: return {text.empty() || has_control(text) ? "must be a text without control characters" : ""};
    case TextFormat::kName: return check_name(text);
    case TextFormat::kCidr: return {Cidr::parse(text) ? "" : "is no network: write \"10.0.0.0/8\" or \"2001:db8::/32\", with no bits behind the prefix"};
    case TextFormat::kFieldName: return check_field_name(text);
    case TextFormat::kFieldPattern: return check_field_pattern(text);
    case TextFormat::kTemplate: return check_template(text);
    case TextFormat::kRegex: return check_regex(text);
    case TextFormat::kPath: return check_path(text);
    case TextFormat::kFilePath: return {text.starts_with('/') && !has_control(text) ? "" : "is no absolute path of a file"};
    case TextFormat::kListenAddress: return {Endpoint::parse(text) ? "" : "is no address: write \"host:port\", \":port\" or \"unix:/path\""};
    case TextFormat::kTargetAddress: return check_target_address(text);
    case TextFormat::kHostPattern: return check_host_pattern(text);
    case TextFormat::kMethod: return {is_token(text) && text.size() <= 32 ? "" : "is no method"};
    case TextFormat::kSplitKey: return check_split_key(text);
    case TextFormat::kUpstreamHost: return check_upstream_host(text);
    case TextFormat::kRetryCondition: return check_retry_condition(text);
  }
  return {};
}

}  // namespace proxyd::config
