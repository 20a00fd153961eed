#include "master/certificates/pem.h"

#include <fmt/format.h>
#include <openssl/pem.h>

namespace proxyd::master {
namespace {

constexpr size_t kMostAuthorities = 1024;

// Notes that a passphrase was asked for, and gives none.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}   // namespace

Result<std::vector<CertificateHandle>> read_certificates(std::string_view pem, size_t most) {
  std::vector<CertificateHandle> all;
  const BioHandle source = reader_of(pem);
  ERR_clear_error();
  while (CertificateHandle one{PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr)}) {
    all.push_back(std::move(one));
    if (all.size() > most) return Error{fmt::format("holds more than {} certificates", most)};
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = openssl_reason();
  if (!at_end) return Error{fmt::format("certificate {} in it cannot be read: {}", all.size() + 1, reason)};
  if (all.empty()) return Error{"holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"};
  return all;
}

Result<KeyHandle> read_private_key(std::string_view pem) {
  const BioHandle source = reader_of(pem);
  bool encrypted = false;
  ERR_clear_error();
  KeyHandle key(PEM_read_bio_PrivateKey(source.get(), nullptr, no_passphrase, &encrypted));
  const std::string reason = openssl_reason();
  if (key) return key;
  if (encrypted)
    return Error{
        "is encrypted, and nobody is there to type its passphrase: `openssl pkey -in FILE -out PLAIN` takes it off"};
  if (pem.find("PRIVATE KEY-----") == std::string_view::npos)
    return Error{"holds no private key in PEM (-----BEGIN PRIVATE KEY-----)"};
  return Error{fmt::format("holds a private key that cannot be read: {}", reason)};
}

std::string to_pem(const std::vector<CertificateHandle>& certificates) {
  const BioHandle text(BIO_new(BIO_s_mem()));
  for (const CertificateHandle& one : certificates) PEM_write_bio_X509(text.get(), one.get());
  return content_of(text.get());
}

std::string to_pem(EVP_PKEY* key) {
  const BioHandle text(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(text.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return content_of(text.get());
}

Result<std::string> authorities_of(std::string_view pem) {
  auto all = read_certificates(pem, kMostAuthorities);
  if (!all) return all.error();
  return to_pem(*all);
}

}   // namespace proxyd::master
