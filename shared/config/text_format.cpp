#include "shared/config/text_format.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "shared/base/bytes.h"
#include "shared/config/cidr.h"
#include "shared/config/endpoint.h"
#include "shared/config/field_name.h"
#include "shared/config/template_text.h"
#include "shared/config/units.h"

namespace proxyd::config {
namespace {

constexpr size_t kLongestName = 64;
constexpr size_t kLongestHost = 253;
constexpr size_t kLongestMethod = 32;
constexpr size_t kLongestFieldName = 256;
constexpr int64_t kRegexMemory = 4 << 20;

bool all(std::string_view text, bool (*fits)(char)) { return std::all_of(text.begin(), text.end(), fits); }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

bool has_control(std::string_view text) { return std::any_of(text.begin(), text.end(), is_control); }

// RFC 9110 5.5: a tab may be in a field value, no other control character.
TextFault check_field_content(std::string_view text) {
  const auto refused = [](char c) { return is_control(c) && c != '\t'; };
  const bool ok = std::none_of(text.begin(), text.end(), refused);
  return {ok ? "" : "holds a control character (a line end or NUL), which no field value may"};
}

TextFault check_name(std::string_view text) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-'; };
  const bool ok = !text.empty() && text.size() <= kLongestName && all(text, fits);
  return {ok ? "" : "is no name: 1 to 64 of letters, digits, '.', '_' and '-'"};
}

TextFault check_token(std::string_view text) {
  return {is_token(text) && text.size() <= kLongestFieldName ? "" : "is no field name"};
}

TextFault check_field_name(std::string_view text) {
  if (const TextFault fault = check_token(text); !fault.ok()) return fault;
  if (equals_ignoring_case(text, "host")) return {"cannot be edited: an upstream's Host is set by upstreams.NAME.host"};
  return {is_connection_field(text) ? "cannot be edited: it frames the message or belongs to one connection" : ""};
}

TextFault check_field_pattern(std::string_view text) {
  if (!text.ends_with('*')) return check_field_name(text);
  const std::string_view prefix = text.substr(0, text.size() - 1);
  if (!is_token(prefix) || prefix.size() > kLongestFieldName) return {"is no field name or prefix with '*'"};
  const bool covers = covers_connection_field(prefix);
  return {covers ? "would remove fields that frame the message or belong to one connection: use a longer prefix" : ""};
}

TextFault check_template(std::string_view text) {
  if (const TextFault fault = check_field_content(text); !fault.ok()) return fault;
  const auto parts = parse_template(text);
  return {parts ? "" : fmt::format("has {}", parts.error().message)};
}

TextFault check_location(std::string_view text) {
  return text.empty() ? TextFault{"is empty: write where to, as \"https://{host}{uri}\""} : check_template(text);
}

TextFault check_path_template(std::string_view text) {
  const bool begins_well = text.starts_with('/') || (text.starts_with('{') && !text.starts_with("{{"));
  return begins_well ? check_template(text) : TextFault{"is no path: it must begin with '/' or a {variable}"};
}

TextFault check_regex(std::string_view text) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemory);
  const RE2 expression(std::string(text), options);
  return {expression.ok() ? "" : fmt::format("is no RE2 expression: {}", expression.error())};
}

TextFault check_path(std::string_view text) {
  if (!text.starts_with('/')) return {"is no path: it must begin with '/'"};
  const bool ok = !has_control(text) && text.find_first_of(" ?#") == std::string_view::npos;
  return {ok ? "" : "holds what no path may: a space, '?', '#' or a control character"};
}

// A name, or a prefix that ends in `*`.
TextFault check_star(std::string_view text) {
  const size_t star = text.find('*');
  const bool ok = star == std::string_view::npos || star + 1 == text.size();
  return {ok ? "" : "may have '*' at its end only"};
}

std::string_view without_star(std::string_view text) {
  if (text.ends_with('*')) text.remove_suffix(1);
  return text;
}

TextFault check_parameter_pattern(std::string_view text) {
  if (text.empty() || has_control(text)) return {"must be a name without control characters"};
  return check_star(text);
}

TextFault check_cookie_pattern(std::string_view text) {
  const std::string_view name = without_star(text);
  if (text.empty() || (!name.empty() && !is_token(name))) return {"is no name of a cookie"};
  return check_star(text);
}

TextFault check_path_pattern(std::string_view text) {
  const TextFault fault = check_path(text);
  return fault.ok() ? check_star(text) : fault;
}

// RFC 9111 3: a final status, but for those that speak about another response.
TextFault check_stored_status(std::string_view text) {
  const bool number = text.size() == 3 && all(text, is_digit) && text[0] >= '2' && text[0] <= '5';
  const bool ok = number && text != "304" && text != "412" && text != "416";
  return {ok ? "" : "is no status that can be stored: 200 to 599, but for 304, 412 and 416"};
}

TextFault check_error_status(std::string_view text) {
  const bool ok = text.size() == 3 && all(text, is_digit) && (text[0] == '4' || text[0] == '5');
  return {ok ? "" : "is no status of an error: 400 to 599"};
}

TextFault check_host_pattern(std::string_view text) {
  constexpr const char* kWrong = "is no host name; a wildcard is \"*.name\" or \"*\" alone";
  if (text == "*") return {};
  if (text.starts_with('[')) {
    const bool closed = text.size() > 2 && text.ends_with(']') && text.find(':') != std::string_view::npos;
    return {closed && parse_mapped_address(text.substr(1, text.size() - 2)) ? "" : "is no IPv6 address in brackets"};
  }
  if (text.starts_with("*.")) text.remove_prefix(2);
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_'; };
  const bool ends_well = !text.empty() && text.front() != '.' && text.back() != '.';
  const bool ok =
      ends_well && text.size() <= kLongestHost && all(text, fits) && text.find("..") == std::string_view::npos;
  return {ok ? "" : kWrong};
}

TextFault check_target_address(std::string_view text) {
  if (text.starts_with("srv:")) return {service_name(text) ? "" : "names no service: write \"srv:_http._tcp.name\""};
  const auto endpoint = Endpoint::parse(text);
  const bool ok = endpoint && (endpoint->kind == Endpoint::Kind::kUnix || !endpoint->host.empty());
  return {ok ? "" : "is no address: write \"host:port\", \"unix:/path\" or \"srv:_http._tcp.name\""};
}

TextFault check_split_key(std::string_view text) {
  constexpr const char* kWrong = "is none of client_ip, header:NAME, cookie:NAME, query:NAME";
  if (text == "client_ip") return {};
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string_view kind = text.substr(0, colon);
  const std::string_view name = text.substr(std::min(colon + 1, text.size()));
  if (kind == "header" || kind == "cookie") return {is_token(name) ? "" : kWrong};
  return {kind == "query" && !name.empty() && !has_control(name) ? "" : kWrong};
}

TextFault check_request_key(std::string_view text) {
  const bool ok = text == "path" || check_split_key(text).ok();
  return {ok ? "" : "is none of client_ip, path, header:NAME, cookie:NAME, query:NAME"};
}

TextFault check_octet_rate(std::string_view text) {
  const auto rate = parse_octet_rate(text);
  return {rate && *rate >= 1024 ? "" : "is no rate of 1KiB/s or more: write \"2MiB/s\""};
}

TextFault check_retry_condition(std::string_view text) {
  const bool status = text.size() == 3 && all(text, is_digit) && text[0] >= '4' && text[0] <= '5';
  const bool ok = status || text == "connect_error" || text == "reset_before_response";
  return {ok ? "" : "is none of connect_error, reset_before_response, \"400\" to \"599\""};
}

TextFault check_status_range(std::string_view text) {
  constexpr const char* kWrong = "is no status and no range of them, as 200-299";
  const auto is_status = [](std::string_view word) {
    return word.size() == 3 && all(word, is_digit) && word[0] >= '1' && word[0] <= '5';
  };
  const std::string_view from = text.substr(0, 3);
  if (text.size() == 3) return {is_status(from) ? "" : kWrong};
  const bool range = text.size() == 7 && text[3] == '-' && is_status(from) && is_status(text.substr(4));
  return {range && from <= text.substr(4) ? "" : kWrong};
}

// A name or an address, with a port or without.
bool is_host(std::string_view text) {
  const bool named = !text.starts_with('*') && check_host_pattern(text).ok();
  const auto endpoint = Endpoint::parse(text);
  const bool with_port = endpoint && endpoint->kind == Endpoint::Kind::kTcp && !endpoint->host.empty();
  return named || with_port;
}

TextFault check_upstream_host(std::string_view text) {
  const bool known = text == "keep" || text == "target" || is_host(text);
  return {known ? "" : "is none of keep, target, or a host name"};
}

}   // namespace

TextFault check_text(TextFormat format, std::string_view text) {
  switch (format) {
    case TextFormat::kAny: return {};
    case TextFormat::kNotEmpty:
      return {text.empty() || has_control(text) ? "must be a text without control characters" : ""};
    case TextFormat::kName: return check_name(text);
    case TextFormat::kCidr:
      return {Cidr::parse(text)
                  ? ""
                  : "is no network: write \"10.0.0.0/8\" or \"2001:db8::/32\", with no bits behind the prefix"};
    case TextFormat::kToken: return check_token(text);
    case TextFormat::kFieldName: return check_field_name(text);
    case TextFormat::kFieldPattern: return check_field_pattern(text);
    case TextFormat::kFieldContent: return check_field_content(text);
    case TextFormat::kTemplate: return check_template(text);
    case TextFormat::kLocation: return check_location(text);
    case TextFormat::kPathTemplate: return check_path_template(text);
    case TextFormat::kRegex: return check_regex(text);
    case TextFormat::kPath: return check_path(text);
    case TextFormat::kFilePath:
      return {text.starts_with('/') && !has_control(text) ? "" : "is no absolute path of a file"};
    case TextFormat::kListenAddress:
      return {Endpoint::parse(text) ? "" : "is no address: write \"host:port\", \":port\" or \"unix:/path\""};
    case TextFormat::kTargetAddress: return check_target_address(text);
    case TextFormat::kHostPattern: return check_host_pattern(text);
    case TextFormat::kMethod: return {is_token(text) && text.size() <= kLongestMethod ? "" : "is no method"};
    case TextFormat::kSplitKey: return check_split_key(text);
    case TextFormat::kRequestKey: return check_request_key(text);
    case TextFormat::kUpstreamHost: return check_upstream_host(text);
    case TextFormat::kStatusRange: return check_status_range(text);
    case TextFormat::kCheckHost: return {is_host(text) ? "" : "is no host name"};
    case TextFormat::kRetryCondition: return check_retry_condition(text);
    case TextFormat::kStoredStatus: return check_stored_status(text);
    case TextFormat::kErrorStatus: return check_error_status(text);
    case TextFormat::kParameterPattern: return check_parameter_pattern(text);
    case TextFormat::kCookiePattern: return check_cookie_pattern(text);
    case TextFormat::kPathPattern: return check_path_pattern(text);
    case TextFormat::kRate:
      return {parse_rate(text) ? "" : "is no rate: write \"50/s\" or \"600/m\", 1 to 1000000 in 1s to 1d"};
    case TextFormat::kOctetRate: return check_octet_rate(text);
  }
  return {};
}

size_t longest(TextFormat format) {
  switch (format) {
    case TextFormat::kAny: return size_t{1024} * 1024;
    case TextFormat::kTemplate:
    case TextFormat::kLocation:
    case TextFormat::kPathTemplate:
    case TextFormat::kFieldContent:
    case TextFormat::kPath:
    case TextFormat::kPathPattern: return 8192;
    case TextFormat::kRegex:
    case TextFormat::kFilePath: return 4096;
    default: return 1024;
  }
}

}   // namespace proxyd::config
