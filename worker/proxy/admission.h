#pragma once

#include "worker/proxy/request.h"

namespace proxyd::proxy {

// Whether an access list of the route denies the client, which is counted.
bool is_denied(const Request& request);

}   // namespace proxyd::proxy
