#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "master/certificates/openssl_handles.h"
#include "shared/base/result.h"

namespace proxyd::master {

// The certificates of a PEM text in their order; what else is in it is passed over. Fails when there is none, one that
// is damaged, or more than `most`.
Result<std::vector<CertificateHandle>> read_certificates(std::string_view pem, size_t most);
// Its first private key. Fails when there is none, or it is encrypted.
Result<KeyHandle> read_private_key(std::string_view pem);

std::string to_pem(const std::vector<CertificateHandle>& certificates);
std::string to_pem(EVP_PKEY* key);

// A bundle of authorities as PEM, with nothing else in it; fails as `read_certificates` does.
Result<std::string> authorities_of(std::string_view pem);

}   // namespace proxyd::master
