#pragma once

#include <map>
#include <memory>
#include <string>

#include "master/certificates/certificate.h"
#include "shared/base/result.h"
#include "shared/config/model.h"

namespace proxyd::master {

// What is wrong with one of a document's files.
struct CertificateFileError {
  std::string message;   // names certificate, file and reason
  std::string pointer;   // of what names the file
};

// Where a response to staple to it may lie.
std::string ocsp_file_of(const config::Certificate& certificate);

// The files of a certificate as they are now, with the response where there is one. Fails when one cannot
// be read or is wrong.
Result<CheckedCertificate, CertificateFileError> read_certificate_files(const config::Certificate& certificate);

// Certificates by name, immutable, shared by all editions that they did not change in.
using Certificates = std::map<std::string, std::shared_ptr<const CheckedCertificate>>;

}   // namespace proxyd::master
