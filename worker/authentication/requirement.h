#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "shared/base/digest.h"
#include "shared/base/result.h"
#include "shared/config/model.h"
#include "worker/authentication/password_check.h"
#include "worker/authentication/token_check.h"
#include "worker/http/fields.h"

namespace proxyd::authentication {

// What one `auth` of the document asks of a client, its file read: a password by Basic, or a token by Bearer. Made when
// a snapshot is prepared and immutable from then on; shared by the configurations and routes that say the same. Nothing
// suspends; `check` takes long where `is_slow`.
class Requirement {
 public:
  using Files = std::map<std::string, std::string>;
  // Fails where the file is none that is taken; says where, never what it holds. Of a file that was not read, in a
  // configuration that only questions are answered by, nobody is.
  static Result<std::shared_ptr<const Requirement>> make(const config::Auth& settings, const Files& files);

  // Of the settings and the content of the file: the same for what asks the same.
  static Sha256 identity_of(const config::Auth& settings, const Files& files);
  const Sha256& identity() const { return identity_; }

  // What a client shows, or nothing of the kind.
  std::string_view credentials(const http::Fields& fields) const;
  bool is_slow() const;
  // `wall_ms`: since 1970.
  Answer check(std::string_view credentials, int64_t wall_ms) const;

  // The value of WWW-Authenticate for a client that showed nothing, and for one that showed what is wrong. Neither says
  // what was wrong.
  std::string_view challenge(bool showed) const { return showed ? refusal_ : challenge_; }

 private:
  using Check = std::variant<PasswordCheck, TokenCheck>;
  Requirement(const Sha256& identity, Check check) : identity_(identity), check_(std::move(check)) {}

  Sha256 identity_;
  Check check_;
  std::string challenge_;
  std::string refusal_;
};

}   // namespace proxyd::authentication
