#pragma once

#include <chrono>
#include <string_view>

#include "master/certificates/openssl_handles.h"
#include "shared/base/result.h"

namespace proxyd::master {

// Whether a response (RFC 6960, DER) may be stapled to `leaf`: signed by its issuer or whom that one named, says that
// it is good, and holds now. Until when it does; fails saying why not.
Result<std::chrono::system_clock::time_point> check_ocsp(std::string_view der, X509* leaf, X509* issuer);

}   // namespace proxyd::master
