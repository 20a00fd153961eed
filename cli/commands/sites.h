#pragma once

#include "cli/session.h"

namespace proxyd::cli {

// What the commands about hosts and routes share.

inline constexpr const char* kNoHosts = "there are no hosts yet: proxyctl apply -f FILE";

// After a 404: which host was meant. `session` outlives it.
Session::HintFor hint_of_host(const Session& session, const std::string& host);

}   // namespace proxyd::cli
