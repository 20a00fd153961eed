#include "worker/http2/message_head.h"

#include <algorithm>

#include "shared/base/bytes.h"
#include "worker/http/characters.h"
#include "worker/http/content_length.h"
#include "worker/http/expectation.h"
#include "worker/http/status.h"

namespace proxyd::http2 {
namespace {

using http::ContentLength;
using http::FieldName;
using http::Refusal;

constexpr size_t kMaxMethod = 32;

Refusal take_method(std::string_view text, http::RequestHead& head) {
  const bool token =
      std::all_of(text.begin(), text.end(), [](char c) { return http::is_in(c, http::character::kToken); });
  if (text.empty() || !token) return Refusal::kPseudoMethod;
  if (text.size() > kMaxMethod) return Refusal::kMethodTooLong;
  head.method = http::method_from(text);
  head.method_text = text;
  return Refusal::kNone;
}

// Which pseudo-fields there are, and whether they go together.
Refusal check_form(const PseudoFields& pseudo, bool connect, const Settings& settings) {
  const bool scheme = pseudo.has(Pseudo::kScheme);
  const bool path = pseudo.has(Pseudo::kPath);
  if (pseudo.has(Pseudo::kProtocol)) {
    if (!connect || !settings.extended_connect) return Refusal::kProtocol;
    if (!scheme || !path || !pseudo.has(Pseudo::kAuthority)) return Refusal::kPseudoMissing;
    return pseudo.protocol == "websocket" ? Refusal::kNone : Refusal::kProtocol;
  }
  if (connect) return scheme || path ? Refusal::kConnectForm : Refusal::kConnect;
  return scheme && path ? Refusal::kNone : Refusal::kPseudoMissing;
}

Refusal take_target(const PseudoFields& pseudo, http::RequestHead& head) {
  if (pseudo.scheme != "http" && pseudo.scheme != "https") return Refusal::kPseudoScheme;
  const bool form = pseudo.path == "*" || (!pseudo.path.empty() && pseudo.path.front() == '/');
  if (!form) return Refusal::kPseudoPath;
  const http::Method method = head.method == http::Method::kConnect ? http::Method::kGet : head.method;
  const auto target = http::parse_target(pseudo.path, method, head.fields.arena());
  if (!target) return Refusal::kPseudoPath;
  head.target = *target;
  head.target.scheme = pseudo.scheme;
  return Refusal::kNone;
}

// :authority and Host say the same, or one of them says it alone; Host is there afterwards (RFC 9113 8.3.1).
Refusal take_authority(const PseudoFields& pseudo, LastAuthority& last, http::RequestHead& head) {
  http::Fields& fields = head.fields;
  const http::Field* host = fields.find(FieldName::kHost);
  if (host && fields.count(FieldName::kHost) > 1) return Refusal::kHostMultiple;
  const bool named = pseudo.has(Pseudo::kAuthority);
  if (!host && !named) return Refusal::kHostMissing;
  const auto authority = last.parse(named ? pseudo.authority : host->value, fields.arena());
  if (!authority) return authority.error();
  head.authority = *authority;
  if (!host) {
    fields.add({http::to_lower_string(FieldName::kHost), pseudo.authority, FieldName::kHost});
    return Refusal::kNone;
  }
  if (!named || host->value == pseudo.authority) return Refusal::kNone;
  const auto other = http::parse_authority(host->value, fields.arena());
  if (!other) return other.error();
  if (!other->names_same(head.authority, pseudo.scheme == "https" ? 443 : 80)) return Refusal::kAuthorityMismatch;
  fields.lines()[static_cast<size_t>(host - fields.begin())].value = pseudo.authority;
  return Refusal::kNone;
}

Refusal take_content(bool ends, http::RequestHead& head) {
  if (!ends) head.content.kind = ContentLength::Kind::kUnknown;
  if (!head.fields.has(FieldName::kContentLength)) return Refusal::kNone;
  const auto length = http::content_length(head.fields);
  if (!length) return length.error();
  if (ends) return *length == 0 ? Refusal::kNone : Refusal::kLengthMismatch;
  head.content = {ContentLength::Kind::kKnown, *length};
  return Refusal::kNone;
}

Refusal take_tunnel(bool ends, http::RequestHead& head) {
  if (ends || head.fields.has(FieldName::kContentLength)) return Refusal::kUpgradeBody;
  head.wants_websocket = true;
  head.content.kind = ContentLength::Kind::kTunnel;
  return Refusal::kNone;
}

}   // namespace

Refusal understand_request(const PseudoFields& pseudo, bool ends, const Settings& settings, LastAuthority& last,
                           http::RequestHead& head) {
  head.version = http::Version::kHttp2;
  head.scheme = settings.https ? http::Scheme::kHttps : http::Scheme::kHttp;
  if (!pseudo.has(Pseudo::kMethod)) return Refusal::kPseudoMissing;
  Refusal refusal = take_method(pseudo.method, head);
  if (refusal != Refusal::kNone) return refusal;
  const bool connect = head.method == http::Method::kConnect;
  refusal = check_form(pseudo, connect, settings);
  if (refusal == Refusal::kNone) refusal = take_target(pseudo, head);
  if (refusal == Refusal::kNone) refusal = take_authority(pseudo, last, head);
  if (refusal == Refusal::kNone) refusal = connect ? take_tunnel(ends, head) : take_content(ends, head);
  return refusal == Refusal::kNone ? http::check_expectation(head) : refusal;
}

Refusal understand_response(const PseudoFields& pseudo, bool ends, http::Method method, http::ResponseHead& head) {
  head.version = http::Version::kHttp2;
  const std::string_view status = pseudo.status;
  if (!pseudo.has(Pseudo::kStatus)) return Refusal::kPseudoMissing;
  const bool number = status.size() == 3 && std::all_of(status.begin(), status.end(), is_digit) && status[0] != '0';
  if (!number) return Refusal::kPseudoStatus;
  head.status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
  if (head.status == 101) return Refusal::kPseudoStatus;   // RFC 9113 8.6
  if (head.is_interim()) return ends ? Refusal::kPseudoStatus : Refusal::kNone;
  const bool tunnel = method == http::Method::kConnect && head.status < 300;
  if (tunnel) {
    head.content.kind = ends ? ContentLength::Kind::kNone : ContentLength::Kind::kTunnel;
    return Refusal::kNone;
  }
  const bool has_length = head.fields.has(FieldName::kContentLength);
  uint64_t bytes = 0;
  if (has_length) {
    const auto length = http::content_length(head.fields);
    if (!length) return length.error();
    bytes = *length;
  }
  if (!http::may_have_content(method, head.status)) return Refusal::kNone;
  if (ends) return bytes == 0 ? Refusal::kNone : Refusal::kLengthMismatch;
  head.content =
      has_length ? ContentLength{ContentLength::Kind::kKnown, bytes} : ContentLength{ContentLength::Kind::kUnknown};
  return Refusal::kNone;
}

}   // namespace proxyd::http2
