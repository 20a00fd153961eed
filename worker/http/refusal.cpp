#include "worker/http/refusal.h"

#include <array>

namespace proxyd::http {
namespace {

constexpr std::array<std::string_view, kRefusalCount> kWords = {
    "none",
    "reqline",
    "http09",
    "version",
    "version",
    "method_too_long",
    "trace",
    "connect",
    "target_form",
    "uri_char",
    "uri_pct_nul",
    "uri_pct",
    "uri_fragment",
    "uri_too_long",
    "leading_crlf",
    "tls_on_plain",
    "bare_cr",
    "bare_lf",
    "obs_fold",
    "ws_before_colon",
    "header_name_empty",
    "header_no_colon",
    "header_name",
    "header_value",
    "underscore_name",
    "header_count",
    "header_size",
    "host_missing",
    "host_multiple",
    "host_invalid",
    "host_empty",
    "host_port",
    "host_userinfo",
    "authority_mismatch",
    "te_and_cl",
    "te_unknown",
    "te_chunked_not_final",
    "te_duplicate",
    "te_invalid",
    "te_empty",
    "te_in_http10",
    "cl_duplicate",
    "cl_list",
    "cl_empty",
    "cl_invalid",
    "body_too_large",
    "connection_names_framing",
    "expect",
    "upgrade_body",
    "chunk_size",
    "chunk_overflow",
    "chunk_size_digits",
    "chunk_ext_limit",
    "chunk_ext_ctl",
    "chunk_bare_cr",
    "chunk_bare_lf",
    "chunk_data_crlf",
    "trailer_limit",
    "trailer_syntax",
    "uri_encoded_slash",
    "header_timeout",
    "body_timeout",
    "proxy_protocol",
    "status_line",
    "unexpected_101",
    "unsolicited",
    "h2_connection",
    "name_case",
    "name",
    "value_ctl",
    "value_space",
    "connection_header",
    "te",
    "pseudo",
    "pseudo_unknown",
    "pseudo_dup",
    "pseudo_order",
    "pseudo_method",
    "pseudo_scheme",
    "pseudo_path",
    "pseudo_status",
    "connect",
    "protocol",
    "cl_mismatch",
    "trailer_no_end",
    "interim_many",
};

}   // namespace

std::string_view to_string(Refusal refusal) { return kWords[static_cast<size_t>(refusal)]; }

int status_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kVersionUnsupported: return 505;
    case Refusal::kMethodTooLong:
    case Refusal::kTeUnknown: return 501;
    case Refusal::kTrace:
    case Refusal::kConnect: return 405;
    case Refusal::kUriTooLong: return 414;
    case Refusal::kHeaderCount:
    case Refusal::kHeaderSize:
    case Refusal::kTrailerLimit: return 431;
    case Refusal::kBodyTooLarge: return 413;
    case Refusal::kExpect: return 417;
    case Refusal::kHeaderTimeout:
    case Refusal::kBodyTimeout: return 408;
    default: return 400;
  }
}

}   // namespace proxyd::http
