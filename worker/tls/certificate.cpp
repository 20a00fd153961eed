#include "worker/tls/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace proxyd::tls {
namespace {

// No terminal is asked for the phrase of an encrypted key.
int no_phrase(char*, int, int, void*) { return 0; }

UniqueBio bio_of(std::string_view text) {
  return UniqueBio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

std::string_view text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string common_name(X509* leaf) {
  const X509_NAME* subject = X509_get_subject_name(leaf);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  return at < 0 ? std::string() : lower(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
}

std::vector<std::string> names_of(X509* leaf) {
  std::vector<std::string> names;
  auto* alternatives = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type == GEN_DNS) names.push_back(lower(text_of(name->d.dNSName)));
  }
  GENERAL_NAMES_free(alternatives);
  if (names.empty()) {
    std::string name = common_name(leaf);
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

}   // namespace

std::string openssl_error() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(error);
  return reason ? reason : "unknown error";
}

std::string peer_subject(const SSL* ssl) {
  const X509* peer = SSL_get0_peer_certificate(ssl);
  if (!peer) return {};
  const UniqueBio text(BIO_new(BIO_s_mem()));
  if (!text || X509_NAME_print_ex(text.get(), X509_get_subject_name(peer), 0, XN_FLAG_RFC2253) < 0) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<size_t>(size)};
}

bool name_covers(std::string_view pattern, std::string_view host) {
  if (!pattern.starts_with("*.")) return pattern == host;
  const size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && host.substr(dot) == pattern.substr(1);
}

bool Certificate::covers(std::string_view host) const {
  return std::any_of(names_.begin(), names_.end(), [host](const std::string& name) { return name_covers(name, host); });
}

Result<std::shared_ptr<const Certificate>> Certificate::parse(std::string_view chain, std::string_view private_key,
                                                              std::string ocsp) {
  ERR_clear_error();
  std::shared_ptr<Certificate> made(new Certificate);
  const UniqueBio certificates = bio_of(chain);
  made->leaf_.reset(PEM_read_bio_X509(certificates.get(), nullptr, no_phrase, nullptr));
  if (!made->leaf_) return Error{"the certificate can't be read: " + openssl_error()};
  made->chain_.reset(sk_X509_new_null());
  while (X509* next = PEM_read_bio_X509(certificates.get(), nullptr, no_phrase, nullptr))
    sk_X509_push(made->chain_.get(), next);
  ERR_clear_error();   // the end of the text
  const UniqueBio key = bio_of(private_key);
  made->key_.reset(PEM_read_bio_PrivateKey(key.get(), nullptr, no_phrase, nullptr));
  if (!made->key_) return Error{"the private key can't be read: " + openssl_error()};
  if (X509_check_private_key(made->leaf_.get(), made->key_.get()) != 1)
    return Error{"the private key does not belong to the certificate: " + openssl_error()};
  made->names_ = names_of(made->leaf_.get());
  made->ocsp_ = std::move(ocsp);
  return std::shared_ptr<const Certificate>(std::move(made));
}

}   // namespace proxyd::tls
