#include "worker/routing/request_key.h"

#include <cstring>

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
    case Kind::kClient: break;
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

uint64_t client_word(const std::array<uint8_t, 16>& mapped) {
  uint64_t network = 0;
  std::memcpy(&network, mapped.data(), sizeof network);
  uint64_t host = 0;
  std::memcpy(&host, mapped.data() + sizeof network, sizeof host);
  return network == 0 ? host : network;   // IPv4, or what is no network of anyone's
}

}   // namespace proxyd::routing
