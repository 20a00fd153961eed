#include "master/certificate_vault.h"

#include <fmt/format.h>

#include "master/store/key_seal.h"
#include "shared/base/clock.h"

namespace proxyd::master {

Result<CheckedCertificate, CertificateFileError> CertificateVault::read(const std::string& name) {
  const auto refused = [&name](const std::string& reason) {
    return CertificateFileError{fmt::format("certificate '{}' {}", name, reason),
                                fmt::format("/certificates/{}/uploaded", name)};
  };
  const auto row = store_.certificate(name);
  if (!row) return refused("cannot be read from the store: " + row.error().message);
  if (!*row)
    return refused(fmt::format(
        "is not there yet: upload it with `proxyctl cert add {} --certificate FILE --private-key FILE`", name));
  const auto seal = store::KeySeal::open(folder_, store::KeySeal::Missing::kRefuse);
  if (!seal) return refused("cannot be unsealed: " + seal.error().message);
  const auto key = seal->unseal((*row)->sealed_key, name);
  if (!key) return refused("cannot be unsealed: " + key.error().message);
  auto checked = check_certificate((*row)->chain, *key, "");
  if (!checked) return refused(checked.error().reason);
  return std::move(*checked);
}

store::Outcome<void> CertificateVault::put(const std::string& name, const config::CertificateMaterial& material,
                                           const std::string& author) {
  const auto seal = store::KeySeal::open(folder_, store::KeySeal::Missing::kMake);
  if (!seal) return store::Failure{store::Failure::Kind::kFull, seal.error().message};
  return store_.put_certificate({name, material.chain, seal->seal(material.private_key, name),
                                 rfc3339(std::chrono::system_clock::now()), author});
}

}   // namespace proxyd::master
