#include <fmt/format.h>

#include "master/configuration.h"

// Certificates that change while their document stays.
namespace proxyd::master {
namespace {

constexpr const char* kStays = "; the certificate that serves stays";

// Those whose stapled OCSP response holds no longer.
std::vector<std::string> outlived(const Certificates& certificates) {
  std::vector<std::string> names;
  const auto now = std::chrono::system_clock::now();
  for (const auto& [name, certificate] : certificates) {
    if (certificate->ocsp_until <= now) names.push_back(name);
  }
  return names;
}

}   // namespace

// Those whose content is another now.
Certificates Configuration::read_changed(const ActiveConfiguration& active) {
  for (const std::string& name : outlived(active.certificates)) watch_.read_again(name);
  Certificates changed;
  for (const std::string& name : watch_.due(active.document, Clock::now())) {
    auto checked = read_certificate_files(active.document.certificates.at(name));
    if (!checked) {
      if (watch_.note_fault(name, checked.error().message)) parts_.log.error("{}{}", checked.error().message, kStays);
      continue;
    }
    watch_.clear_fault(name);
    const auto served = active.certificates.find(name);
    const bool same = served != active.certificates.end() && served->second->material == checked->material;
    if (!same) changed[name] = std::make_shared<const CheckedCertificate>(std::move(*checked));
  }
  return changed;
}

void Configuration::refresh_certificates() {
  const std::lock_guard lock(change_);
  const auto before = active();
  if (!before || closed_) return;
  const Certificates changed = read_changed(*before);
  if (changed.empty()) return;
  const auto change = [&changed](ActiveConfiguration& next) {
    for (const auto& [name, certificate] : changed) next.certificates[name] = certificate;
  };
  const auto published = publish_again(change, [] { return std::nullopt; });
  for (const auto& [name, certificate] : changed) {
    const std::string end = rfc3339(certificate->facts.not_after);
    if (published) {
      parts_.log.info("certificate '{}' was read again: it ends at {}", name, end);
      parts_.events.publish("certificate", {{"name", name}, {"not_after", end}});
      continue;
    }
    const std::string fault =
        fmt::format("certificate '{}' cannot be brought to the workers: {}", name, published.error().message);
    if (watch_.note_fault(name, fault)) parts_.log.error("{}{}", fault, kStays);
  }
}

}   // namespace proxyd::master
