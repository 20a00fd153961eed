#include "worker/authentication/token.h"

#include "shared/authentication/strict_json.h"
#include "shared/base/bytes.h"

namespace proxyd::authentication {
namespace {

std::optional<nlohmann::json> read_part(std::string_view part) {
  const auto octets = from_base64url(part);
  return octets ? read_strict_object(*octets) : std::nullopt;
}

}   // namespace

std::optional<Token> read_token(std::string_view text) {
  const size_t first = text.find('.');
  const size_t second = text.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto header = read_part(text.substr(0, first));
  if (!header || header->contains("crit") || header->contains("b64")) return std::nullopt;
  const auto algorithm = algorithm_from(text_at(*header, "alg").value_or(""));
  const bool odd_id = header->contains("kid") && !header->at("kid").is_string();
  auto claims = read_part(text.substr(first + 1, second - first - 1));
  auto signature = from_base64url(text.substr(second + 1));
  if (!algorithm || odd_id || !claims || !signature || signature->empty()) return std::nullopt;
  return Token{*algorithm, text_at(*header, "kid"), text.substr(0, second), std::move(*signature), std::move(*claims)};
}

}   // namespace proxyd::authentication
