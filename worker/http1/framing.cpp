#include "worker/http1/framing.h"

#include "shared/base/bytes.h"
#include "worker/http/content_length.h"
#include "worker/http/list.h"
#include "worker/http/status.h"

namespace proxyd::http1 {
namespace {

using http::ContentLength;
using http::FieldName;
using http::Fields;
using http::Refusal;

// Every coding of every Transfer-Encoding line, in order: exactly one, `chunked` (RFC 9112 6.1, 7).
Refusal check_codings(const Fields& fields) {
  int chunked = 0;
  bool other = false;
  bool chunked_is_last = false;
  for (const http::Field& field : fields) {
    if (field.known != FieldName::kTransferEncoding) continue;
    http::ListMembers members(field.value);
    std::string_view coding;
    while (members.next(coding)) {
      chunked_is_last = equals_ignoring_case(coding, "chunked");
      chunked += chunked_is_last ? 1 : 0;
      other = other || !chunked_is_last;
    }
  }
  if (chunked > 1) return Refusal::kTeDuplicate;
  if (chunked == 1 && !chunked_is_last) return Refusal::kTeChunkedNotFinal;
  if (other) return Refusal::kTeUnknown;
  return chunked == 1 ? Refusal::kNone : Refusal::kTeEmpty;
}

bool has_empty_transfer_encoding(const Fields& fields) {
  for (const http::Field& field : fields) {
    if (field.known == FieldName::kTransferEncoding && field.value.empty()) return true;
  }
  return false;
}

}   // namespace

Result<ContentLength, Refusal> frame_request(const http::RequestHead& head) {
  const Fields& fields = head.fields;
  const bool has_length = fields.has(FieldName::kContentLength);
  if (has_length && head.connection.names(FieldName::kContentLength)) return Refusal::kConnectionNamesFraming;
  if (fields.has(FieldName::kTransferEncoding)) {
    if (head.version == http::Version::kHttp10) return Refusal::kTeInHttp10;
    if (has_empty_transfer_encoding(fields)) return Refusal::kTeEmpty;
    if (has_length) return Refusal::kTeAndCl;
    const Refusal refusal = check_codings(fields);
    if (refusal != Refusal::kNone) return refusal;
    return ContentLength{ContentLength::Kind::kUnknown};
  }
  if (!has_length) return ContentLength{};
  const auto length = http::content_length(fields);
  if (!length) return length.error();
  return ContentLength{ContentLength::Kind::kKnown, *length};
}

Result<ContentLength, Refusal> frame_response(const http::ResponseHead& head, http::Method method) {
  const Fields& fields = head.fields;
  const bool has_length = fields.has(FieldName::kContentLength);
  const bool has_encoding = fields.has(FieldName::kTransferEncoding);
  if (has_length && has_encoding) return Refusal::kTeAndCl;
  uint64_t length = 0;
  if (has_length) {
    const auto parsed = http::content_length(fields);
    if (!parsed) return parsed.error();
    length = *parsed;
  }
  if (head.status == 101) return ContentLength{ContentLength::Kind::kTunnel};
  if (!http::may_have_content(method, head.status)) return ContentLength{};
  if (has_encoding) {
    if (head.version == http::Version::kHttp10) return Refusal::kTeInHttp10;
    const Refusal refusal = check_codings(fields);
    if (refusal != Refusal::kNone) return refusal;
    return ContentLength{ContentLength::Kind::kUnknown};
  }
  if (has_length) return ContentLength{ContentLength::Kind::kKnown, length};
  return ContentLength{ContentLength::Kind::kUntilClose};
}

namespace {

// One option; false for what may be a list of them.
bool take_option(http::ConnectionOptions& options, std::string_view option) {
  const FieldName known = http::field_name_from(option);
  if (known != FieldName::kOther) {
    options.fields |= http::bit_of(known);
  } else if (equals_ignoring_case(option, "close")) {
    options.close = true;
  } else {
    return false;
  }
  return true;
}

}   // namespace

http::ConnectionOptions connection_options(const Fields& fields) {
  http::ConnectionOptions options;
  if (!fields.has(FieldName::kConnection)) return options;
  for (const http::Field& field : fields) {
    if (field.known != FieldName::kConnection || take_option(options, field.value)) continue;
    http::ListMembers members(field.value);
    std::string_view member;
    while (members.next(member)) {
      const bool counts =
          !take_option(options, member) && options.other_fields <= http::ConnectionOptions::kMostOtherFields;
      if (counts) ++options.other_fields;
    }
  }
  return options;
}

}   // namespace proxyd::http1
