#include "worker/routing/purge_access.h"

#include "shared/base/bytes.h"
#include "worker/http/list.h"

namespace proxyd::routing {
namespace {

constexpr std::string_view kScheme = "Bearer ";

std::string_view bearer_token(const http::Fields& fields) {
  const std::string_view value = fields.value(http::FieldName::kAuthorization);
  return equals_ignoring_case(value.substr(0, kScheme.size()), kScheme) ? http::trim(value.substr(kScheme.size()))
                                                                        : std::string_view();
}

}   // namespace

PurgeAccess::PurgeAccess(const config::Purge& settings, const std::map<std::string, std::string>& files)
    : allow_(settings.allow) {
  if (!settings.token_file) return;
  const auto file = files.find(*settings.token_file);
  token_ = file == files.end() ? std::string() : file->second;
}

bool PurgeAccess::admits(const std::array<uint8_t, 16>& peer, const http::Fields& fields) const {
  if (allow_.empty() && !token_) return false;
  if (!allow_.empty() && !allow_.holds(peer)) return false;
  return !token_ || has_token(fields);
}

bool PurgeAccess::has_token(const http::Fields& fields) const {
  if (token_->empty()) return false;
  const http::Field* own = fields.find("X-Purge-Token");
  return equals_in_constant_time(bearer_token(fields), *token_) ||
         (own && equals_in_constant_time(own->value, *token_));
}

}   // namespace proxyd::routing
