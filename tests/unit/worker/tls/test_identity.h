#pragma once

#include <openssl/ec.h>
#include <openssl/x509.h>

#include "worker/tls/openssl.h"

namespace proxyd::tls {

// A context of a server with a key of its own, which nobody has signed.
inline UniqueContext server_with_a_key() {
  UniqueKey key(EVP_EC_gen("P-256"));
  UniqueCertificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  UniqueContext context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_use_certificate(context.get(), certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  return context;
}

}   // namespace proxyd::tls
