#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "master/attention.h"
#include "master/certificates/certificate_files.h"

namespace proxyd::master {

// Adds what needs a person: certificates whose newest files are wrong (`faults`, by name), and those that end within 14
// days of `now`, or have ended.
void add_certificates(const config::Document& document, const Certificates& certificates,
                      const std::map<std::string, std::string>& faults, std::chrono::system_clock::time_point now,
                      std::vector<Attention>& all);

}   // namespace proxyd::master
