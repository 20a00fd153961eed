#include "worker/proxy/upstream_tls.h"

#include <fmt/format.h>

#include "shared/base/digest.h"
#include "shared/config/tls_name.h"

namespace proxyd::proxy {
namespace {

std::string content_of(const std::optional<std::string>& file, const config::Materials& materials) {
  const auto found = file ? materials.files.find(*file) : materials.files.end();
  return found == materials.files.end() ? std::string() : found->second;
}

std::string digest_of(const tls::ClientContext::Settings& settings) {
  std::string all = settings.verify ? "verify" : "";
  for (const std::string* one : {&settings.name, &settings.authorities, &settings.certificate, &settings.private_key})
    all += fmt::format("{}:{}", one->size(), *one);
  const Sha256 digest = sha256(all);
  return {digest.begin(), digest.end()};
}

}   // namespace

Result<UpstreamTls::Context> UpstreamTls::context_for(const config::Upstream& upstream, const config::Target& target,
                                                      const config::Materials& materials) {
  if (!upstream.tls) return Context();
  const config::UpstreamTls& wanted = *upstream.tls;
  tls::ClientContext::Settings settings{.name = config::tls_name(upstream, target),
                                        .verify = wanted.verify,
                                        .authorities = {},
                                        .certificate = content_of(wanted.certificate_file, materials),
                                        .private_key = content_of(wanted.private_key_file, materials)};
  if (settings.verify) {
    const std::string system(config::kSystemAuthorities);
    settings.authorities = content_of(wanted.ca_file.value_or(system), materials);
  }
  std::weak_ptr<tls::ClientContext>& known = contexts_[digest_of(settings)];
  if (auto same = known.lock()) return same;
  auto made = tls::ClientContext::create(settings);
  if (!made) return Error{fmt::format("upstream '{}': {}", upstream.name, made.error().message)};
  known = *made;
  return *made;
}

void UpstreamTls::settle() {
  std::erase_if(contexts_, [](const auto& one) { return one.second.expired(); });
}

}   // namespace proxyd::proxy
