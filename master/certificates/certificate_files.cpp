#include "master/certificates/certificate_files.h"

#include <fmt/format.h>

#include "shared/base/plain_file.h"

namespace proxyd::master {
namespace {

constexpr size_t kMostOctets = 256 * 1024;

}   // namespace

std::string ocsp_file_of(const config::Certificate& certificate) { return certificate.certificate_file + ".ocsp"; }

Result<CheckedCertificate, CertificateFileError> read_certificate_files(const config::Certificate& certificate) {
  const auto pointer = [&certificate](bool of_key) {
    return fmt::format("/certificates/{}/{}", certificate.name, of_key ? "private_key_file" : "certificate_file");
  };
  const auto unreadable = [&](bool of_key, const Error& error) {
    return CertificateFileError{fmt::format("certificate '{}': {}", certificate.name, error.message), pointer(of_key)};
  };
  const auto chain = read_plain_file(certificate.certificate_file, kMostOctets);
  if (!chain) return unreadable(false, chain.error());
  const auto key = read_plain_file(certificate.private_key_file, kMostOctets);
  if (!key) return unreadable(true, key.error());
  const auto ocsp = read_plain_file(ocsp_file_of(certificate), kMostOctets);
  auto checked = check_certificate(*chain, *key, ocsp ? *ocsp : "");
  if (checked) return std::move(*checked);
  const bool of_key = checked.error().of_key;
  const std::string& file = of_key ? certificate.private_key_file : certificate.certificate_file;
  return CertificateFileError{
      fmt::format("certificate '{}': file {} {}", certificate.name, file, checked.error().reason), pointer(of_key)};
}

}   // namespace proxyd::master
