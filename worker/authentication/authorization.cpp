#include "worker/authentication/authorization.h"

#include <algorithm>

#include "shared/base/bytes.h"
#include "worker/http/list.h"

namespace proxyd::authentication {
namespace {

// RFC 4648 4 by way of the alphabet of RFC 4648 5: whole groups, and padding at the end alone.
std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.find_first_of("-_") != std::string_view::npos) return std::nullopt;
  std::string own_alphabet(text);
  std::replace(own_alphabet.begin(), own_alphabet.end(), '+', '-');
  std::replace(own_alphabet.begin(), own_alphabet.end(), '/', '_');
  return from_base64url(own_alphabet);
}

}   // namespace

std::string_view credentials_of(const http::Fields& fields, std::string_view scheme) {
  std::string_view value;
  for (const http::Field& field : fields) {
    if (field.known != http::FieldName::kAuthorization) continue;
    if (value.data()) return {};
    value = field.value;
  }
  const bool is_meant = value.size() > scheme.size() && value.size() <= kLongestCredentials &&
                        value[scheme.size()] == ' ' && equals_ignoring_case(value.substr(0, scheme.size()), scheme);
  return is_meant ? http::trim(value.substr(scheme.size())) : std::string_view();
}

std::optional<NameAndPassword> read_basic(std::string_view credentials) {
  const auto pair = from_base64(credentials);
  if (!pair) return std::nullopt;
  const size_t colon = pair->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return NameAndPassword{pair->substr(0, colon), pair->substr(colon + 1)};
}

}   // namespace proxyd::authentication
