#include "worker/authentication/requirement.h"

#include <fmt/format.h>

#include <algorithm>

#include "worker/authentication/authorization.h"

namespace proxyd::authentication {
namespace {

std::string_view content_of(const std::string& path, const Requirement::Files& files) {
  const auto found = files.find(path);
  return found == files.end() ? std::string_view() : std::string_view(found->second);
}

Result<Users> users_for(const config::BasicAuth& settings, const Requirement::Files& files) {
  if (!files.contains(settings.users_file)) return Users();
  auto users = read_users(content_of(settings.users_file, files));
  if (!users) return Error{fmt::format("file {}, {}", settings.users_file, users.error().message)};
  return users;
}

std::string as_quoted_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

// Keys without one that a token could be signed by are a mistake.
Result<KeySet> keys_for(const config::JwtAuth& settings, const Requirement::Files& files) {
  if (!files.contains(settings.jwks_file)) return KeySet();
  auto keys = read_keys(content_of(settings.jwks_file, files));
  if (!keys) return Error{fmt::format("file {}, {}", settings.jwks_file, keys.error().message)};
  for (const std::string& name : settings.algorithms) {
    const auto is_for = [wanted = algorithm_from(name)](const Key& key) { return key.algorithm() == wanted; };
    if (std::none_of(keys->begin(), keys->end(), is_for))
      return Error{fmt::format("file {} has no key for {}", settings.jwks_file, name)};
  }
  return keys;
}

}   // namespace

// Each part with its length before it, so that no two settings make one text.
Sha256 Requirement::identity_of(const config::Auth& settings, const Files& files) {
  std::string text;
  const auto add = [&text](std::string_view part) { text += fmt::format("{}:{}", part.size(), part); };
  if (settings.basic) {
    add("basic");
    add(settings.basic->realm);
    add(content_of(settings.basic->users_file, files));
    return sha256(text);
  }
  add(settings.jwt->issuer ? "from " + *settings.jwt->issuer : "");
  add(std::to_string(settings.jwt->leeway.count()));
  add(content_of(settings.jwt->jwks_file, files));
  for (const std::string& algorithm : settings.jwt->algorithms) add("by " + algorithm);
  for (const std::string& audience : settings.jwt->audience) add("for " + audience);
  return sha256(text);
}

Result<std::shared_ptr<const Requirement>> Requirement::make(const config::Auth& settings, const Files& files) {
  const Sha256 identity = identity_of(settings, files);
  if (settings.jwt) {
    auto keys = keys_for(*settings.jwt, files);
    if (!keys) return keys.error();
    std::shared_ptr<Requirement> made(new Requirement(identity, TokenCheck(*settings.jwt, std::move(*keys))));
    // RFC 6750 3: there is a parameter at least; 3.1: who showed nothing made no error.
    made->challenge_ = "Bearer realm=\"token\"";
    made->refusal_ = "Bearer realm=\"token\", error=\"invalid_token\"";
    return std::shared_ptr<const Requirement>(std::move(made));
  }
  auto users = users_for(*settings.basic, files);
  if (!users) return users.error();
  std::shared_ptr<Requirement> made(new Requirement(identity, PasswordCheck(std::move(*users))));
  // RFC 7617 2.1: what browsers are to encode names by.
  made->challenge_ = fmt::format("Basic realm={}, charset=\"UTF-8\"", as_quoted_string(settings.basic->realm));
  made->refusal_ = made->challenge_;
  return std::shared_ptr<const Requirement>(std::move(made));
}

std::string_view Requirement::credentials(const http::Fields& fields) const {
  return credentials_of(fields, std::holds_alternative<TokenCheck>(check_) ? "Bearer" : "Basic");
}

bool Requirement::is_slow() const {
  const auto* passwords = std::get_if<PasswordCheck>(&check_);
  return passwords && passwords->is_slow();
}

Answer Requirement::check(std::string_view credentials, int64_t wall_ms) const {
  const auto* passwords = std::get_if<PasswordCheck>(&check_);
  return passwords ? passwords->check(credentials) : std::get<TokenCheck>(check_).check(credentials, wall_ms);
}

}   // namespace proxyd::authentication
