#include "master/certificate_attention.h"

#include <fmt/format.h>

#include "shared/base/clock.h"

namespace proxyd::master {
namespace {

constexpr auto kSoon = std::chrono::hours(24 * 14);
constexpr const char* kHelp = "proxyctl reload";

}   // namespace

void add_certificates(const Certificates& certificates, const std::map<std::string, std::string>& faults,
                      std::chrono::system_clock::time_point now, std::vector<Attention>& all) {
  for (const auto& [name, fault] : faults)
    all.push_back({"error", "certificate-unusable", fault + "; the one that was read before serves on", kHelp});
  for (const auto& [name, certificate] : certificates) {
    const auto end = certificate->facts.not_after;
    if (end <= now)
      all.push_back({"error", "certificate-expired",
                     fmt::format("certificate '{}' expired at {}: clients refuse it", name, rfc3339(end)), kHelp});
    else if (end - now <= kSoon)
      all.push_back(
          {"warning", "certificate-expires", fmt::format("certificate '{}' expires at {}", name, rfc3339(end)), kHelp});
  }
}

}   // namespace proxyd::master
