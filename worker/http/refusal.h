#pragma once

#include <cstdint>
#include <string_view>

namespace proxyd::http {

// Why a message is refused at the edge: one word each, the same in the metric `h1_reject{reason}`, in the access log
// and in /rejects.
enum class Refusal : uint8_t {
  kNone,
  // request line
  kRequestLine,
  kHttp09,
  kVersion,
  kVersionUnsupported,
  kMethodTooLong,
  kTrace,
  kConnect,
  kTargetForm,
  kUriCharacter,
  kUriPercentNul,
  kUriPercent,
  kUriFragment,
  kUriTooLong,
  kLeadingCrlf,
  kTlsOnPlain,
  // field lines
  kBareCr,
  kBareLf,
  kObsFold,
  kSpaceBeforeColon,
  kFieldNameEmpty,
  kNoColon,
  kFieldName,
  kFieldValue,
  kUnderscoreName,
  kHeaderCount,
  kHeaderSize,
  // Host
  kHostMissing,
  kHostMultiple,
  kHostInvalid,
  kHostEmpty,
  kHostPort,
  kHostUserinfo,
  kAuthorityMismatch,
  // framing
  kTeAndCl,
  kTeUnknown,
  kTeChunkedNotFinal,
  kTeDuplicate,
  kTeInvalid,
  kTeEmpty,
  kTeInHttp10,
  kClDuplicate,
  kClList,
  kClEmpty,
  kClInvalid,
  kBodyTooLarge,
  kConnectionNamesFraming,
  kExpect,
  kUpgradeBody,
  // chunked content
  kChunkSize,
  kChunkOverflow,
  kChunkSizeDigits,
  kChunkExtLimit,
  kChunkExtControl,
  kChunkBareCr,
  kChunkBareLf,
  kChunkDataCrlf,
  kTrailerLimit,
  kTrailerSyntax,
  // the encoded slash, backslash or NUL where a route guards paths
  kUriEncodedSlash,
  // time and peers
  kHeaderTimeout,
  kBodyTimeout,
  kProxyProtocol,
  // responses (metric `upstream_bad{reason}`)
  kStatusLine,
  kUnexpected101,
  kUnsolicited,
  kHttp2Connection,   // its connection broke the rules of HTTP/2
  // what HTTP/2 alone can get wrong (metric `h2_reject{reason}`); all of it makes a message malformed
  kNameCase,
  kNameInvalid,
  kValueControl,
  kValueSpace,
  kConnectionField,
  kTeOther,
  kPseudoMissing,
  kPseudoUnknown,
  kPseudoDuplicate,
  kPseudoOrder,
  kPseudoMethod,
  kPseudoScheme,
  kPseudoPath,
  kPseudoStatus,
  kConnectForm,
  kProtocol,
  kLengthMismatch,
  kTrailerNoEnd,
  kInterimMany,
};

inline constexpr Refusal kFirstOfHttp2 = Refusal::kNameCase;
inline constexpr size_t kRefusalCount = static_cast<size_t>(Refusal::kInterimMany) + 1;

// "te_and_cl"
std::string_view to_string(Refusal refusal);

// The status a client gets for it (RFC 9110 15.5); 400 for most.
int status_of(Refusal refusal);

}   // namespace proxyd::http
