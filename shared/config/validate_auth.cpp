#include "shared/config/validate_auth.h"

namespace proxyd::config {
namespace {}   // namespace

void validate_auth(const Json& level, const std::string& pointer, FindingsList& findings) {
  const Json* auth = member(level, "auth");
  if (!auth || auth->is_null()) return;
  const bool basic = member(*auth, "basic");
  const bool jwt = member(*auth, "jwt");
  if (!basic && !jwt) findings.problem(pointer + "/auth", "missing", "auth needs one of basic, jwt");
  if (basic && jwt) findings.problem(pointer + "/auth", "exclusive", "auth is one of basic and jwt; keep one of them");
}

}   // namespace proxyd::config
