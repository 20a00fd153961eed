#include "worker/routing/value_template.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <new>

namespace proxyd::routing {
namespace {

using Kind = config::TemplatePart::Kind;

std::string_view number(uint16_t value, http::Arena& arena) {
  char* text = arena.allocate_text(5);
  const auto [end, error] = std::to_chars(text, text + 5, value);
  return {text, static_cast<size_t>(end - text)};
}

std::string_view uri(const http::Target& target, http::Arena& arena) {
  return target.has_query ? arena.concat(target.path, "?", target.query) : target.path;
}

std::string_view value_of(const config::TemplatePart& part, const RequestFacts& facts, http::Arena& arena) {
  switch (part.kind) {
    case Kind::kLiteral: return part.text;
    case Kind::kScheme: return http::to_string(facts.scheme);
    case Kind::kHost: return facts.host;
    case Kind::kPort: return number(facts.port, arena);
    case Kind::kPath: return facts.head->target.path;
    case Kind::kQuery: return facts.head->target.query;
    case Kind::kUri: return uri(facts.head->target, arena);
    case Kind::kClientIp: return facts.client_text;
    case Kind::kRequestId: return facts.request_id;
    case Kind::kUpstream: return facts.upstream;
    case Kind::kTarget: return facts.target;
    case Kind::kHeader: {
      const http::Field* field = facts.head->fields.find(part.text);
      return field ? field->value : std::string_view();
    }
    case Kind::kCookie: return find_cookie(facts.head->fields, part.text);
    case Kind::kQueryParameter: return find_query_parameter(facts.head->target.query, part.text);
    case Kind::kTlsSni: return facts.tls_sni;
    case Kind::kTlsClientSubject: return facts.tls_client_subject;
    case Kind::kCapture: return facts.captures[static_cast<size_t>(part.text[0] - '0')];
  }
  return {};
}

}   // namespace

ValueTemplate::ValueTemplate(std::string_view text) {
  auto parts = config::parse_template(text);
  if (parts) {
    parts_ = std::move(*parts);
  } else {
    parts_.push_back({Kind::kLiteral, std::string(text)});
  }
}

ValueTemplate ValueTemplate::literal(std::string text) {
  ValueTemplate made;
  made.parts_.push_back({Kind::kLiteral, std::move(text)});
  return made;
}

bool ValueTemplate::is_constant() const {
  return std::all_of(parts_.begin(), parts_.end(), [](const config::TemplatePart& part) {
    return part.kind == config::TemplatePart::Kind::kLiteral;
  });
}

bool ValueTemplate::reads_request() const {
  constexpr std::array kOfRequest = {Kind::kQuery,          Kind::kUri,    Kind::kClientIp,
                                     Kind::kRequestId,      Kind::kHeader, Kind::kCookie,
                                     Kind::kQueryParameter, Kind::kTlsSni, Kind::kTlsClientSubject};
  return std::any_of(parts_.begin(), parts_.end(), [&kOfRequest](const config::TemplatePart& part) {
    return std::find(kOfRequest.begin(), kOfRequest.end(), part.kind) != kOfRequest.end();
  });
}

std::string_view ValueTemplate::render(const RequestFacts& facts, http::Arena& arena) const {
  if (parts_.empty()) return "";
  if (parts_.size() == 1) {
    const std::string_view only = value_of(parts_.front(), facts, arena);
    return only.data() ? only : "";
  }
  std::string_view* values = arena.allocate_array<std::string_view>(parts_.size());
  size_t size = 0;
  for (size_t i = 0; i < parts_.size(); ++i) {
    new (&values[i]) std::string_view(value_of(parts_[i], facts, arena));
    size += values[i].size();
  }
  char* text = arena.allocate_text(size);
  char* to = text;
  for (size_t i = 0; i < parts_.size(); ++i) to = std::copy(values[i].begin(), values[i].end(), to);
  return {text, size};
}

}   // namespace proxyd::routing
