#include "master/certificate_watch.h"

#include <sys/stat.h>

namespace proxyd::master {
namespace {

constexpr auto kFaultyAgain = std::chrono::seconds(10);

int64_t nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

}   // namespace

CertificateWatch::Stamp CertificateWatch::stamp_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {.path = path};
  return {path, status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

CertificateWatch::Stamps CertificateWatch::stamps_of(const config::Certificate& certificate) {
  return {stamp_of(certificate.certificate_file), stamp_of(certificate.private_key_file),
          stamp_of(ocsp_file_of(certificate))};
}

std::vector<std::string> CertificateWatch::due(const config::Document& document, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto gone = [&document](const auto& entry) { return !document.certificates.contains(entry.first); };
  std::erase_if(watched_, gone);
  std::erase_if(faults_, gone);
  std::vector<std::string> names;
  for (const auto& [name, certificate] : document.certificates) {
    if (certificate.uploaded) continue;
    Watched& watched = watched_[name];
    const Stamps stamps = stamps_of(certificate);
    const bool still = stamps == watched.seen;
    watched.seen = stamps;
    const bool faulty = faults_.contains(name) && now - watched.read_at >= kFaultyAgain;
    if (!still || (stamps == watched.read && !faulty)) continue;
    watched.read = stamps;
    watched.read_at = now;
    names.push_back(name);
  }
  return names;
}

void CertificateWatch::read_again(const std::string& name) {
  const std::lock_guard lock(mutex_);
  watched_[name].read = {};
}

bool CertificateWatch::note_fault(const std::string& name, const std::string& fault) {
  const std::lock_guard lock(mutex_);
  std::string& known = faults_[name];
  if (known == fault) return false;
  known = fault;
  return true;
}

void CertificateWatch::clear_fault(const std::string& name) {
  const std::lock_guard lock(mutex_);
  faults_.erase(name);
}

std::map<std::string, std::string> CertificateWatch::faults() const {
  const std::lock_guard lock(mutex_);
  return faults_;
}

}   // namespace proxyd::master
