#pragma once

#include "worker/http/head.h"

namespace proxyd::http {

// The request's Expect (RFC 9110 10.1.1): says in the head whether the client waits for 100 (Continue), or why it is
// refused. The head's content has to be known.
Refusal check_expectation(RequestHead& head);

}   // namespace proxyd::http
