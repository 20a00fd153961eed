#include "worker/routing/conditions.h"

#include <algorithm>

#include "shared/base/bytes.h"

namespace proxyd::routing {

std::unique_ptr<RE2> compile_expression(const std::string& text) {
  RE2::Options options(RE2::Quiet);
  options.set_encoding(RE2::Options::EncodingLatin1);
  auto expression = std::make_unique<RE2>(text, options);
  if (expression->ok()) return expression;
  return std::make_unique<RE2>(text, RE2::Quiet);   // a class of characters beyond ASCII makes sense in UTF-8 alone
}

bool host_matches(std::string_view pattern, std::string_view host) {
  if (pattern == "*") return true;
  if (!pattern.starts_with("*.")) return pattern == host;
  const std::string_view suffix = pattern.substr(1);   // ".example.com"
  return host.size() > suffix.size() && host.ends_with(suffix);
}

Conditions::Conditions(const config::Match& match)
    : methods_(match.methods),
      host_(match.host),
      headers_(compile(match.headers)),
      query_(compile(match.query)),
      cookies_(compile(match.cookies)),
      clients_(match.client) {
  if (match.scheme) scheme_ = *match.scheme == "https" ? http::Scheme::kHttps : http::Scheme::kHttp;
  none_ = methods_.empty() && !host_ && !scheme_ && headers_.empty() && query_.empty() && cookies_.empty() &&
          clients_.empty();
}

std::vector<Conditions::Named> Conditions::compile(const std::vector<config::Condition>& conditions) {
  std::vector<Named> compiled;
  for (const config::Condition& condition : conditions) {
    Named named{condition, nullptr};
    if (condition.kind == config::Condition::Kind::kRegex) named.expression = compile_expression(condition.text);
    compiled.push_back(std::move(named));
  }
  return compiled;
}

bool Conditions::holds(const Named& named, std::string_view value, bool present) {
  switch (named.condition.kind) {
    case config::Condition::Kind::kEquals: return present && value == named.condition.text;
    case config::Condition::Kind::kPresent: return present;
    case config::Condition::Kind::kAbsent: return !present;
    case config::Condition::Kind::kRegex:
      return present && RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *named.expression);
  }
  return false;
}

// A field that comes in several lines holds when one of them does.
bool Conditions::headers_hold(const RequestFacts& facts) const {
  return std::all_of(headers_.begin(), headers_.end(), [&facts](const Named& named) {
    const http::Fields& fields = facts.head->fields;
    const http::Field* first = fields.find(named.condition.name);
    if (!first) return holds(named, {}, false);
    if (named.condition.kind == config::Condition::Kind::kAbsent) return false;
    for (const http::Field* field = first; field != fields.end(); ++field) {
      const bool same =
          field == first || (field->known == first->known && equals_ignoring_case(field->name, first->name));
      if (same && holds(named, field->value, true)) return true;
    }
    return false;
  });
}

std::string_view Conditions::first_failed(const RequestFacts& facts) const {
  if (none_) return {};
  if (!methods_.empty() && std::find(methods_.begin(), methods_.end(), facts.head->method_text) == methods_.end())
    return "methods";
  if (host_ && !host_matches(*host_, facts.host)) return "host";
  if (scheme_ && *scheme_ != facts.scheme) return "scheme";
  if (!headers_hold(facts)) return "header";
  for (const Named& named : query_) {
    const std::string_view value = find_query_parameter(facts.head->target.query, named.condition.name);
    if (!holds(named, value, value.data() != nullptr)) return "query";
  }
  for (const Named& named : cookies_) {
    const std::string_view value = find_cookie(facts.head->fields, named.condition.name);
    if (!holds(named, value, value.data() != nullptr)) return "cookie";
  }
  if (!clients_.empty() && !clients_.holds(facts.client)) return "client";
  return {};
}

}   // namespace proxyd::routing
