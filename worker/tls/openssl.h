#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace proxyd::tls {

// OpenSSL's objects with an owner.
struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
  void operator()(STACK_OF(X509_NAME) * names) const { sk_X509_NAME_pop_free(names, X509_NAME_free); }
};
using UniqueSsl = std::unique_ptr<SSL, Free>;
using UniqueContext = std::unique_ptr<SSL_CTX, Free>;
using UniqueCertificate = std::unique_ptr<X509, Free>;
using UniqueStore = std::unique_ptr<X509_STORE, Free>;
using UniqueKey = std::unique_ptr<EVP_PKEY, Free>;
using UniqueBio = std::unique_ptr<BIO, Free>;
using UniqueChain = std::unique_ptr<STACK_OF(X509), Free>;
using UniqueNames = std::unique_ptr<STACK_OF(X509_NAME), Free>;

}   // namespace proxyd::tls
