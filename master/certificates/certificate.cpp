#include "master/certificates/certificate.h"

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include "master/certificates/ocsp_response.h"
#include "master/certificates/pem.h"

namespace proxyd::master {
namespace {

constexpr size_t kLongestChain = 10;

using Chain = std::vector<CertificateHandle>;

bool is_signed_by(X509* certificate, X509* issuer) {
  ERR_clear_error();
  const bool named = X509_check_issued(issuer, certificate) == X509_V_OK;
  const bool is_signed = named && X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
  ERR_clear_error();
  return is_signed;
}

// Empty when each is signed by the next.
std::string fault_of_order(const Chain& chain) {
  for (size_t i = 0; i + 1 < chain.size(); ++i) {
    if (is_signed_by(chain[i].get(), chain[i + 1].get())) continue;
    return fmt::format(
        "has its certificates in the wrong order: number {} ({}) is not signed by number {} ({}); the server's own "
        "comes "
        "first, then who signed it",
        i + 1, facts_of(chain[i].get()).subject, i + 2, facts_of(chain[i + 1].get()).subject);
  }
  return {};
}

// What a server's context takes: a key that is too short for this system's rules, for one, is refused there.
std::string fault_of_use(const Chain& chain, EVP_PKEY* key) {
  ERR_clear_error();
  const ContextHandle context(SSL_CTX_new(TLS_server_method()));
  const bool fits = context && SSL_CTX_use_certificate(context.get(), chain.front().get()) == 1 &&
                    SSL_CTX_use_PrivateKey(context.get(), key) == 1;
  const std::string reason = openssl_reason();
  return fits ? "" : fmt::format("cannot be served: {}", reason);
}

}   // namespace

Result<CheckedCertificate, CertificateFault> check_certificate(std::string_view chain, std::string_view key,
                                                               std::string_view ocsp) {
  const auto certificates = read_certificates(chain, kLongestChain);
  if (!certificates) return CertificateFault{false, certificates.error().message};
  const auto private_key = read_private_key(key);
  if (!private_key) return CertificateFault{true, private_key.error().message};
  X509* leaf = certificates->front().get();
  const bool match = X509_check_private_key(leaf, private_key->get()) == 1;
  ERR_clear_error();
  if (!match) return CertificateFault{true, "holds the key of another certificate than the first in the chain"};
  if (std::string fault = fault_of_order(*certificates); !fault.empty()) return CertificateFault{false, fault};
  if (std::string fault = fault_of_use(*certificates, private_key->get()); !fault.empty())
    return CertificateFault{false, fault};
  CheckedCertificate checked{{to_pem(*certificates), to_pem(private_key->get()), ""}, facts_of(leaf)};
  if (ocsp.empty()) return checked;
  X509* issuer = certificates->size() > 1 ? (*certificates)[1].get() : leaf;
  const auto until = check_ocsp(ocsp, leaf, issuer);
  if (!until) {
    checked.ocsp_fault = until.error().message;
    return checked;
  }
  checked.material.ocsp = ocsp;
  checked.ocsp_until = *until;
  return checked;
}

}   // namespace proxyd::master
