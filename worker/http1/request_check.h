#pragma once

#include "worker/http/head.h"

namespace proxyd::http1 {

// Gives a parsed request its meaning: target, authority (target and Host must agree), content length, Expect, Upgrade.
// Fills the rest of `head`; its section stays as received, for conditions and variables. kNone, or why it is refused
// (RFC 9112 3.2, 6.3; RFC 9110 7.2, 10.1.1). Engine code.
http::Refusal check_request(http::RequestHead& head, std::string_view target_text);

}   // namespace proxyd::http1
