#pragma once

#include <string>

#include "shared/base/result.h"

namespace proxyd::master {

// Whether OpenSSL takes `ciphers` as a list of TLS 1.2 ciphers. Fails naming what in it is unknown, or allows
// connections without encryption or without the server's certificate.
Result<void> check_ciphers(const std::string& ciphers);

}   // namespace proxyd::master
