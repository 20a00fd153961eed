#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "master/certificates/openssl_handles.h"

namespace proxyd::master {

// What people are told of a certificate. A plain value; the master.
struct CertificateFacts {
  using Time = std::chrono::system_clock::time_point;
  std::vector<std::string> names;   // DNS names in lower case, and addresses
  std::string subject;
  std::string issuer;
  Time not_before;
  Time not_after;
  std::string fingerprint;   // SHA-256 of the leaf, hexadecimal
  std::string key_type;      // "ECDSA P-256", "RSA 2048"
  bool operator==(const CertificateFacts&) const = default;
};

CertificateFacts facts_of(X509* leaf);
CertificateFacts::Time time_of(const ASN1_TIME* time);

// Whether clients that ask for `host` take it: a `*` stands for one label (RFC 6125 6.4.3). A host's own wildcard is
// covered by the same one.
bool covers(const CertificateFacts& facts, std::string_view host);

}   // namespace proxyd::master
