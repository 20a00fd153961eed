#include "worker/proxy/error_response.h"

#include <algorithm>
#include <charconv>

#include "shared/base/bytes.h"
#include "worker/http/list.h"
#include "worker/http/status.h"

namespace proxyd::proxy {
namespace {

using http::FieldName;

// What happened, for a visitor.
std::string_view sentence(int status) {
  switch (status) {
    case 400: return "The request could not be understood.";
    case 401: return "The request needs credentials that are valid here.";
    case 403: return "Access to this address is not allowed.";
    case 404: return "There is nothing at this address.";
    case 405: return "This method is not allowed here.";
    case 408: return "The request took too long to arrive.";
    case 413: return "The request is too large.";
    case 414: return "The address is too long.";
    case 417: return "The expectation of the request cannot be met.";
    case 421: return "This server does not answer for that name.";
    case 429: return "Too many requests came from your side. Please try again in a moment.";
    case 431: return "The header of the request is too large.";
    case 501: return "The request asks for something that this server does not do.";
    case 502: return "The server behind this one gave no valid answer.";
    case 503: return "The site cannot answer at the moment. Please try again shortly.";
    case 504: return "The server behind this one took too long to answer.";
    case 505: return "This version of HTTP is not spoken here.";
    case 508: return "The request goes round in a loop.";
    default: return "Something went wrong.";
  }
}

// The weight of a member of Accept, in thousandths (RFC 9110 12.4.2); 1000 when there is none.
int weight_of(std::string_view member) {
  while (!member.empty()) {
    const size_t semicolon = std::min(member.find(';'), member.size());
    const std::string_view parameter = http::trim(member.substr(0, semicolon));
    member.remove_prefix(std::min(semicolon + 1, member.size()));
    if (parameter.size() < 3 || ascii_lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
    if (parameter[2] == '1') return 1000;
    int weight = 0;
    for (size_t at = 4, place = 100; at < parameter.size() && place > 0; ++at, place /= 10) {
      if (is_digit(parameter[at])) weight += (parameter[at] - '0') * static_cast<int>(place);
    }
    return weight;
  }
  return 1000;
}

// How much the client wants a type of content: by the most specific range that names it (RFC 9110 12.5.1).
int preference(std::string_view accept, std::string_view type) {
  int weight = 0;
  int rank = 0;
  http::ListMembers members(accept);
  std::string_view member;
  while (members.next(member)) {
    const std::string_view range = http::trim(member.substr(0, member.find(';')));
    const bool in_class = range.ends_with("/*") &&
                          equals_ignoring_case(range.substr(0, range.size() - 1), type.substr(0, type.find('/') + 1));
    const int found = equals_ignoring_case(range, type) ? 3 : in_class ? 2 : range == "*/*" ? 1 : 0;
    if (found == 0 || found < rank) continue;
    weight = found == rank ? std::max(weight, weight_of(member)) : weight_of(member);
    rank = found;
  }
  return weight;
}

// True when the client would rather have HTML than JSON; one that does not care gets JSON.
bool wants_html(const http::Fields& request) {
  const std::string_view accept = request.combined(FieldName::kAccept);
  const int html = std::max(preference(accept, "text/html"), preference(accept, "application/xhtml+xml"));
  return html > std::max(preference(accept, "application/problem+json"), preference(accept, "application/json"));
}

std::string_view number(int value, http::Arena& arena) {
  char* text = arena.allocate_text(11);
  const auto [end, error] = std::to_chars(text, text + 11, value);
  return {text, static_cast<size_t>(end - text)};
}

std::string_view html(int status, std::string_view request_id, http::Arena& arena) {
  const std::string_view code = number(status, arena);
  const std::string_view reason = http::reason_phrase(status);
  return arena.concat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>",
      code, " ", reason,
      "</title><style>body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:32rem;padding:0 1rem;"
      "color:#222;background:#fff}h1{font-size:1.5rem}p.id{color:#666;font-size:.8rem}"
      "@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}p.id{color:#999}}</style></head>\n"
      "<body><h1>",
      code, " ", reason, "</h1><p>", sentence(status), "</p><p class=\"id\">Request ", request_id,
      "</p></body></html>\n");
}

std::string_view problem(int status, ProxyError error, std::string_view detail, std::string_view request_id,
                         http::Arena& arena) {
  const std::string_view what = detail.empty() ? sentence(status) : detail;
  const std::string_view token =
      error == ProxyError::kNone ? std::string_view() : arena.concat(",\"error\":\"", token_of(error), "\"");
  return arena.concat("{\"type\":\"about:blank\",\"title\":\"", http::reason_phrase(status),
                      "\",\"status\":", number(status, arena), ",\"detail\":\"", what, "\"", token,
                      ",\"request_id\":\"", request_id, "\"}\n");
}

}   // namespace

ErrorAnswer make_error_answer(int status, ProxyError error, std::string_view detail, std::string_view request_id,
                              const http::Fields& request_fields, const routing::ErrorPages::Page* page,
                              http::Arena& arena) {
  const bool as_html = !page && wants_html(request_fields);
  ErrorAnswer answer{http::Fields(arena), {}};
  const std::string_view own_type = as_html ? "text/html; charset=utf-8" : "application/problem+json";
  answer.fields.add(FieldName::kContentType, page ? page->type : own_type);
  answer.fields.add(FieldName::kCacheControl, "no-store");
  if (error != ProxyError::kNone) {
    const std::string_view more = detail.empty() ? detail : arena.concat("; details=\"", detail, "\"");
    answer.fields.add(FieldName::kProxyStatus, arena.concat("proxyd; error=", token_of(error), more));
  }
  if (status == 503) answer.fields.add(FieldName::kRetryAfter, "5");
  if (page) {
    answer.body = page->content;
  } else if (as_html) {
    answer.body = html(status, request_id, arena);
  } else {
    answer.body = problem(status, error, detail, request_id, arena);
  }
  return answer;
}

}   // namespace proxyd::proxy
