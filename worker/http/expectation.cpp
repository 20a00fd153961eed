#include "worker/http/expectation.h"

#include "shared/base/bytes.h"

namespace proxyd::http {

Refusal check_expectation(RequestHead& head) {
  if (!head.fields.has(FieldName::kExpect)) return Refusal::kNone;
  const bool known = equals_ignoring_case(head.fields.combined(FieldName::kExpect), "100-continue");
  if (!known) return Refusal::kExpect;
  // From HTTP/1.0 it is ignored, and without content there is nothing to wait for.
  head.expects_continue = head.version != Version::kHttp10 && !head.content.is_empty();
  return Refusal::kNone;
}

}   // namespace proxyd::http
