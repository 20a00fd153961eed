#include "worker/routing/request_key.h"

#include <algorithm>

namespace proxyd::routing {

RequestKey::RequestKey(const config::RequestKey& text) {
  const size_t colon = text.find(':');
  const std::string_view kind = std::string_view(text).substr(0, colon);
  if (kind == "path") kind_ = Kind::kPath;
  if (kind == "header") kind_ = Kind::kHeader;
  if (kind == "cookie") kind_ = Kind::kCookie;
  if (kind == "query") kind_ = Kind::kQuery;
  if (colon != std::string::npos) name_ = text.substr(colon + 1);
}

std::string_view RequestKey::value(const RequestFacts& facts) const {
  switch (kind_) {
    case Kind::kClient: return client_octets(facts.client);
    case Kind::kPath: return facts.head->target.path;
    case Kind::kHeader: {
      const http::Field* field = facts.head->fields.find(name_);
      return field ? field->value : std::string_view();
    }
    case Kind::kCookie: return find_cookie(facts.head->fields, name_);
    case Kind::kQuery: return find_query_parameter(facts.head->target.query, name_);
  }
  return {};
}

std::string_view client_octets(const std::array<uint8_t, 16>& mapped) {
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  const bool ipv4 = std::equal(kMapped.begin(), kMapped.end(), mapped.begin());
  const auto* octets = reinterpret_cast<const char*>(mapped.data());
  return ipv4 ? std::string_view(octets + 12, 4) : std::string_view(octets, 8);
}

}   // namespace proxyd::routing
