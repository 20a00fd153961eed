#include "shared/config/template_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "shared/config/field_name.h"

namespace proxyd::config {
namespace {

using Kind = TemplatePart::Kind;

std::optional<TemplatePart> variable(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Kind>, 12> kPlain = {
      {{"scheme", Kind::kScheme},
       {"host", Kind::kHost},
       {"port", Kind::kPort},
       {"path", Kind::kPath},
       {"query", Kind::kQuery},
       {"uri", Kind::kUri},
       {"client_ip", Kind::kClientIp},
       {"request_id", Kind::kRequestId},
       {"upstream", Kind::kUpstream},
       {"target", Kind::kTarget},
       {"tls.sni", Kind::kTlsSni},
       {"tls.client_subject", Kind::kTlsClientSubject}}};
  for (const auto& [known, kind] : kPlain) {
    if (known == name) return TemplatePart{kind, ""};
  }
  if (name.size() == 1 && name[0] >= '1' && name[0] <= '9') return TemplatePart{Kind::kCapture, std::string(name)};
  constexpr std::array<std::pair<std::string_view, Kind>, 3> kNamed = {
      {{"header.", Kind::kHeader}, {"cookie.", Kind::kCookie}, {"query.", Kind::kQueryParameter}}};
  for (const auto& [prefix, kind] : kNamed) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view rest = name.substr(prefix.size());
    const bool fits = kind == Kind::kQueryParameter ? !rest.empty() : is_token(rest);
    if (fits) return TemplatePart{kind, std::string(rest)};
  }
  return std::nullopt;
}

}   // namespace

Result<std::vector<TemplatePart>> parse_template(std::string_view text) {
  std::vector<TemplatePart> parts;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) parts.push_back({Kind::kLiteral, std::exchange(literal, {})});
  };
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if ((c == '{' || c == '}') && at + 1 < text.size() && text[at + 1] == c) {
      literal += c;
      ++at;
      continue;
    }
    if (c == '}') return Error{"a '}' without its '{'; write '}}' for a brace"};
    if (c != '{') {
      literal += c;
      continue;
    }
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos) return Error{"a '{' without its '}'; write '{{' for a brace"};
    const std::string_view name = text.substr(at + 1, end - at - 1);
    auto part = variable(name);
    if (!part) return Error{fmt::format("unknown variable {{{}}}", name)};
    flush();
    parts.push_back(std::move(*part));
    at = end;
  }
  flush();
  return parts;
}

}   // namespace proxyd::config
