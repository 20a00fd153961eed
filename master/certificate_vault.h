#pragma once

#include <string>
#include <vector>

#include "master/certificates/certificate_files.h"
#include "master/store/store.h"

namespace proxyd::master {

// Uploaded certificates: rows of the store whose keys are sealed under a key of the state folder, which is made with
// the first. Owned by the master; any thread.
class CertificateVault {
 public:
  CertificateVault(store::Store& store, std::string folder) : store_(store), folder_(std::move(folder)) {}

  // Fails when there is none of that name, or its key cannot be unsealed.
  Result<CheckedCertificate, CertificateFileError> read(const std::string& name);
  store::Outcome<void> put(const std::string& name, const config::CertificateMaterial& material,
                           const std::string& author);
  // False when there is none.
  store::Outcome<bool> remove(const std::string& name) { return store_.remove_certificate(name); }
  store::Outcome<std::vector<std::string>> names() { return store_.certificate_names(); }

 private:
  store::Store& store_;
  std::string folder_;
};

}   // namespace proxyd::master
