#include "master/certificate_attention.h"

#include <fmt/format.h>

#include "shared/base/clock.h"

namespace proxyd::master {
namespace {

constexpr auto kSoon = std::chrono::hours(24 * 14);

// An uploaded one is replaced by another; of files it is to be seen which they are.
std::string help_for(const config::Document& document, const std::string& name) {
  const auto known = document.certificates.find(name);
  const bool uploaded = known != document.certificates.end() && known->second.uploaded;
  return uploaded ? fmt::format("proxyctl cert add {} --certificate FILE --private-key FILE", name)
                  : fmt::format("proxyctl cert show {}", name);
}

}   // namespace

void add_certificates(const config::Document& document, const Certificates& certificates,
                      const std::map<std::string, std::string>& faults, std::chrono::system_clock::time_point now,
                      std::vector<Attention>& all) {
  for (const auto& [name, fault] : faults)
    all.push_back({"error", "certificate-unusable", fault + "; the one that was read before serves on",
                   fmt::format("proxyctl cert reload {}", name)});
  for (const auto& [name, certificate] : certificates) {
    const auto end = certificate->facts.not_after;
    if (end <= now)
      all.push_back({"error", "certificate-expired",
                     fmt::format("certificate '{}' expired at {}: clients refuse it", name, rfc3339(end)),
                     help_for(document, name)});
    else if (end - now <= kSoon)
      all.push_back({"warning", "certificate-expires",
                     fmt::format("certificate '{}' expires at {}", name, rfc3339(end)), help_for(document, name)});
  }
}

}   // namespace proxyd::master
