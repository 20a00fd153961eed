#include "worker/authentication/token_check.h"

#include <algorithm>

#include "shared/authentication/strict_json.h"

namespace proxyd::authentication {
namespace {

using nlohmann::json;

// No longer, lest a step of the wall clock keep a token in force.
constexpr milliseconds kLongestRemembered = std::chrono::minutes(5);
constexpr milliseconds kWrongLasts = std::chrono::minutes(1);
constexpr double kLatest = 1e11;   // seconds: the year 5138; more is no date

// A NumericDate (RFC 7519 2), which may have a fraction, in milliseconds.
std::optional<int64_t> date_at(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  const double seconds = found->get<double>();
  if (!(seconds >= 0 && seconds <= kLatest)) return std::nullopt;
  return static_cast<int64_t>(seconds * 1000);
}

}   // namespace

TokenCheck::TokenCheck(const config::JwtAuth& settings, KeySet keys) : settings_(settings), keys_(std::move(keys)) {
  for (const std::string& name : settings_.algorithms) {
    if (const auto algorithm = algorithm_from(name)) algorithms_.push_back(*algorithm);
  }
}

bool TokenCheck::is_signed(const Token& token) const {
  const auto verifies = [&token](const Key& key) {
    const bool is_meant = key.id().empty() || !token.key_id || *token.key_id == key.id();
    return is_meant && key.algorithm() == token.algorithm && key.verifies(token.signed_text, token.signature);
  };
  return std::any_of(keys_.begin(), keys_.end(), verifies);
}

bool TokenCheck::is_from_issuer(const json& claims) const {
  return !settings_.issuer || text_at(claims, "iss") == settings_.issuer;
}

// `aud` is a text or a list of texts (RFC 7519 4.1.3).
bool TokenCheck::is_for_us(const json& claims) const {
  if (settings_.audience.empty()) return true;
  const auto audience = claims.find("aud");
  if (audience == claims.end()) return false;
  const auto is_named = [audience](const std::string& us) {
    return *audience == us ||
           (audience->is_array() && std::find(audience->begin(), audience->end(), us) != audience->end());
  };
  return std::any_of(settings_.audience.begin(), settings_.audience.end(), is_named);
}

// A token without an end is none; what is from the future, or not yet valid, is not valid now.
milliseconds TokenCheck::holds(const json& claims, int64_t wall_ms) const {
  const int64_t leeway = settings_.leeway.count();
  const auto end = date_at(claims, "exp");
  if (!end || *end + leeway <= wall_ms) return {};
  for (const char* name : {"nbf", "iat"}) {
    const auto begin = date_at(claims, name);
    if (claims.contains(name) && (!begin || *begin - leeway > wall_ms)) return {};
  }
  return is_from_issuer(claims) && is_for_us(claims) ? milliseconds(*end + leeway - wall_ms) : milliseconds(0);
}

Answer TokenCheck::check(std::string_view credentials, int64_t wall_ms) const {
  const auto token = read_token(credentials);
  if (!token) return {};
  if (std::find(algorithms_.begin(), algorithms_.end(), token->algorithm) == algorithms_.end()) return {};
  const milliseconds holds_for = holds(token->claims, wall_ms);   // cheaper than a signature
  if (holds_for.count() == 0) return {};
  if (!is_signed(*token)) return {false, kWrongLasts};
  return {true, std::min(holds_for, kLongestRemembered)};
}

}   // namespace proxyd::authentication
