#pragma once

#include <string_view>

#include "worker/http/fields.h"
#include "worker/http/head.h"
#include "worker/proxy/proxy_error.h"
#include "worker/routing/error_page.h"

namespace proxyd::proxy {

// An answer that we make because something is wrong. Fields and body lie in the arena, or the body is the host's own
// `page`, where there is one. Else a client that asks for JSON
// gets problem details (RFC 9457); one that takes HTML a small page of its own; any other problem details.
struct ErrorAnswer {
  http::Fields fields;
  std::string_view body;
};

ErrorAnswer make_error_answer(int status, ProxyError error, std::string_view detail, std::string_view request_id,
                              const http::Fields& request_fields, const routing::ErrorPages::Page* page,
                              http::Arena& arena);

}   // namespace proxyd::proxy
