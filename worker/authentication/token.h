#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "shared/authentication/key.h"

namespace proxyd::authentication {

// A JSON Web Token as it came (RFC 7515 7.1, RFC 7519 3): taken apart, nothing of it believed. `signed_text` is a view
// into what was read.
struct Token {
  Algorithm algorithm = Algorithm::kRs256;
  std::optional<std::string> key_id;
  std::string_view signed_text;
  std::string signature;
  nlohmann::json claims;   // an object
};

// Nothing for what is none that we take: not three parts of base64url; header or claims that are no JSON object or name
// a member twice; an algorithm that is not ours, "none" first of all; a header that is critical (`crit`) or says that
// its content is not encoded (`b64`), since we know no extension (RFC 7515 4.1.11).
std::optional<Token> read_token(std::string_view text);

}   // namespace proxyd::authentication
