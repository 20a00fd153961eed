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

Result<CheckedCertificate, CertificateFileError> Configuration::read_certificate(
    const config::Certificate& certificate) {
  return certificate.uploaded ? parts_.vault.read(certificate.name) : read_certificate_files(certificate);
}

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

Result<size_t, Configuration::Failure> Configuration::put_certificate(const std::string& name,
                                                                      CheckedCertificate checked,
                                                                      const std::string& author) {
  const std::lock_guard lock(change_);
  const auto before = active();
  const bool named =
      before && before->document.certificates.contains(name) && before->document.certificates.at(name).uploaded;
  if (!named) return Failure{Failure::Kind::kChangedMeanwhile, "the document does not name it as uploaded any more"};
  const auto held = std::make_shared<const CheckedCertificate>(std::move(checked));
  const auto change = [&name, &held](ActiveConfiguration& next) { next.certificates[name] = held; };
  const auto commit = [&]() -> std::optional<Failure> {
    const auto kept = parts_.vault.put(name, held->material, author);
    if (!kept) return Failure::of_store(kept.error());
    return std::nullopt;
  };
  const auto published = publish_again(change, commit);
  if (published)
    parts_.log.info("certificate '{}' was uploaded by {}: it ends at {}", name, author, rfc3339(held->facts.not_after));
  return published;
}

Result<Configuration::Reloaded, Configuration::Failure> Configuration::reload_certificate(const std::string& name,
                                                                                          bool dry_run) {
  const std::lock_guard lock(change_);
  const auto before = active();
  if (!before || !before->document.certificates.contains(name))
    return Failure{Failure::Kind::kChangedMeanwhile, "the document does not name it any more"};
  auto checked = read_certificate(before->document.certificates.at(name));
  if (!checked) {
    watch_.note_fault(name, checked.error().message);
    return Failure::refused(checked.error().message, checked.error().pointer);
  }
  watch_.clear_fault(name);
  const auto served = before->certificates.find(name);
  const bool same = served != before->certificates.end() && served->second->material == checked->material;
  if (same || dry_run) return Reloaded{!same, 0};
  const auto held = std::make_shared<const CheckedCertificate>(std::move(*checked));
  const auto published =
      publish_again([&](ActiveConfiguration& next) { next.certificates[name] = held; }, [] { return std::nullopt; });
  if (!published) return published.error();
  parts_.log.info("certificate '{}' was read again: it ends at {}", name, rfc3339(held->facts.not_after));
  return Reloaded{true, *published};
}

}   // namespace proxyd::master
