#pragma once

#include "master/admin/body_fields.h"

namespace proxyd::admin {

// The request that a call asks a worker about: url, and where they are given method, client, listener, headers. What
// can't be asked becomes a fault of the body.
void check_request(BodyFields& fields);

// The body as a question of that name; or the answer why it is too large for one.
struct RequestQuestion {
  nlohmann::json question;
  std::optional<AdminAnswer> refusal;
};
RequestQuestion question_of(const Json& body, const char* name);

}   // namespace proxyd::admin
