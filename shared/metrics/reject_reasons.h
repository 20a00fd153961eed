#pragma once

#include <array>
#include <string_view>

namespace proxyd::metrics {

// Every word that may stand in h1_reject_total{reason} or upstream_bad_total{reason}; the worker's http::Refusal says
// the same words, and a test compares them.
inline constexpr std::array<std::string_view, 61> kRejectReasons = {"reqline",
                                                                    "http09",
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
                                                                    "proxy_protocol"};

// … in h2_reject_total{reason}, beside those of kRejectReasons.
inline constexpr std::array<std::string_view, 19> kHttp2RejectReasons = {
    "name_case",   "name",           "value_ctl",  "value_space",  "connection_header", "te",
    "pseudo",      "pseudo_unknown", "pseudo_dup", "pseudo_order", "pseudo_method",     "pseudo_scheme",
    "pseudo_path", "pseudo_status",  "connect",    "protocol",     "cl_mismatch",       "trailer_no_end",
    "interim_many"};

inline constexpr std::array<std::string_view, 4> kResponseReasons = {"status_line", "unexpected_101", "unsolicited",
                                                                     "h2_connection"};

}   // namespace proxyd::metrics
