#include "worker/http1/request_check.h"

#include "shared/base/bytes.h"
#include "worker/http/expectation.h"
#include "worker/http1/framing.h"

namespace proxyd::http1 {
namespace {

using http::FieldName;
using http::Refusal;

Refusal check_host(http::RequestHead& head) {
  const size_t lines = head.fields.count(FieldName::kHost);
  if (lines > 1) return Refusal::kHostMultiple;
  if (lines == 0 && head.version != http::Version::kHttp10) return Refusal::kHostMissing;
  if (lines == 1) {
    const auto host = http::parse_authority(head.fields.value(FieldName::kHost), head.fields.arena());
    if (!host) return host.error();
    head.authority = *host;
  }
  if (head.target.form != http::TargetForm::kAbsolute) return Refusal::kNone;
  const auto target = http::parse_authority(head.target.authority, head.fields.arena());
  if (!target) return target.error();
  const bool https = equals_ignoring_case(head.target.scheme, "https");
  if (lines == 1 && !target->names_same(head.authority, https ? 443 : 80)) return Refusal::kAuthorityMismatch;
  head.authority = *target;
  return Refusal::kNone;
}

Refusal check_upgrade(http::RequestHead& head) {
  const bool asks = head.version == http::Version::kHttp11 && head.fields.has(FieldName::kUpgrade) &&
                    head.connection.names(FieldName::kUpgrade);
  const bool websocket = asks && equals_ignoring_case(head.fields.combined(FieldName::kUpgrade), "websocket");
  if (!websocket || head.method != http::Method::kGet) return Refusal::kNone;
  if (!head.content.is_empty()) return Refusal::kUpgradeBody;
  head.wants_websocket = true;
  return Refusal::kNone;
}

}   // namespace

Refusal check_request(http::RequestHead& head, std::string_view target_text) {
  head.connection = connection_options(head.fields);
  if (head.connection.other_fields > http::ConnectionOptions::kMostOtherFields) return Refusal::kHeaderCount;
  if (head.method == http::Method::kConnect) return Refusal::kConnect;
  const auto target = http::parse_target(target_text, head.method, head.fields.arena());
  if (!target) return target.error();
  head.target = *target;
  Refusal refusal = check_host(head);
  if (refusal != Refusal::kNone) return refusal;
  const auto content = frame_request(head);
  if (!content) return content.error();
  head.content = *content;
  refusal = http::check_expectation(head);
  if (refusal != Refusal::kNone) return refusal;
  return check_upgrade(head);
}

}   // namespace proxyd::http1
