#pragma once

#include <chrono>
#include <vector>

#include "master/certificates/certificate_files.h"
#include "shared/config/decode.h"

namespace proxyd::master {

// The certificates that a listener with tls serves, by its document.
std::vector<std::string> certificates_of(const config::Document& document, const config::Listener& listener);
// Whether requests for the host may come by that listener.
bool is_served_by(const config::Host& host, const config::Listener& listener);

// What cannot do without that certificate: "listeners/NAME" that names it, "hosts/NAME" of which it is the only one on
// some listener.
std::vector<std::string> certificate_users(const config::Document& document, const Certificates& certificates,
                                           const std::string& name);

// What is to be said of a document with these certificates and is no error: those that have expired at `now`, or do not
// hold yet, and names of hosts for which a listener with tls has none.
std::vector<config::Problem> certificate_warnings(const config::Document& document, const Certificates& certificates,
                                                  std::chrono::system_clock::time_point now);

}   // namespace proxyd::master
