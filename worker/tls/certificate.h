#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "worker/tls/openssl.h"

namespace proxyd::tls {

// Whether `pattern`, an exact name or "*.suffix" in lower case, is for `host`: a wildcard stands for one label
// (RFC 9525 6.3).
bool name_covers(std::string_view pattern, std::string_view host);

// A certificate with its chain and private key, parsed. Immutable; shared by every configuration that names it with the
// same content, and by the connections made with it. In the worker; nothing suspends.
class Certificate {
 public:
  // From PEM, leaf first, and a stapled OCSP response in DER, or none. Fails when the key does not belong to the leaf.
  static Result<std::shared_ptr<const Certificate>> parse(std::string_view chain, std::string_view private_key,
                                                          std::string ocsp);

  // Its names: dNSName entries, or the common name where there is none; in lower case.
  const std::vector<std::string>& names() const { return names_; }
  bool covers(std::string_view host) const;

  X509* leaf() const { return leaf_.get(); }
  STACK_OF(X509) * chain() const { return chain_.get(); }
  EVP_PKEY* key() const { return key_.get(); }
  const std::string& ocsp() const { return ocsp_; }
  // Of several with one name and one kind of key only the first is of use.
  int key_type() const { return EVP_PKEY_get_base_id(key_.get()); }

 private:
  Certificate() = default;
  UniqueCertificate leaf_;
  UniqueChain chain_;
  UniqueKey key_;
  std::string ocsp_;
  std::vector<std::string> names_;
};

// Whose certificate the peer showed, as RFC 2253 writes it; empty when it showed none.
std::string peer_subject(const SSL* ssl);
// The last error of OpenSSL in words; takes all of them off its queue.
std::string openssl_error();

}   // namespace proxyd::tls
