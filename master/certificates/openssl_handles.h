#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

namespace proxyd::master {

// OpenSSL's objects as values that own what they hold.
template <auto free_it>
struct Freer {
  template <class T>
  void operator()(T* held) const {
    free_it(held);
  }
};
using BioHandle = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CertificateHandle = std::unique_ptr<X509, Freer<X509_free>>;
using ContextHandle = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;

// A source of `text`, which must outlive it.
inline BioHandle reader_of(std::string_view text) {
  return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

inline std::string content_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

// Why OpenSSL's last call failed, in its words; the queue of errors is empty afterwards.
inline std::string openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason ? reason : "no reason given";
}

}   // namespace proxyd::master
