#include "worker/proxy/listener_tls.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/base/digest.h"

namespace proxyd::proxy {
namespace {

// A digest of texts one after the other, none of which can pass for part of another.
std::string digest_of(std::initializer_list<std::string_view> texts) {
  std::string all;
  for (const std::string_view text : texts) all += fmt::format("{}:{}", text.size(), text);
  const Sha256 digest = sha256(all);
  return {digest.begin(), digest.end()};
}

bool serves(const config::Host& host, const std::string& listener) {
  return host.listeners.empty() ||
         std::find(host.listeners.begin(), host.listeners.end(), listener) != host.listeners.end();
}

template <class Value>
std::string address_of(const std::shared_ptr<const Value>& value) {
  return fmt::format("{};", static_cast<const void*>(value.get()));
}

// Contexts with the same are the same. What is shared by content is known by its place.
std::string digest_of(const tls::ServerContext::Settings& settings) {
  std::string all =
      fmt::format("{};{};{};{};{};", settings.refuse_unknown_names, static_cast<int>(settings.min_version),
                  settings.http2, settings.http1, settings.tickets != nullptr);
  all += address_of(settings.initial) + address_of(settings.client_auth);
  for (const auto& one : settings.certificates) all += address_of(one);
  for (const auto& [name, auth] : settings.client_auth_of) all += name + "=" + address_of(auth);
  return digest_of({all, settings.ciphers});
}

}   // namespace

Result<std::shared_ptr<const tls::Certificate>> ListenerTls::certificate_for(const std::string& name,
                                                                             const config::Materials& materials) {
  const auto material = materials.certificates.find(name);
  if (material == materials.certificates.end())
    return Error{fmt::format("certificate '{}' has no content; add it with `proxyctl cert add {}`", name, name)};
  const config::CertificateMaterial& content = material->second;
  std::weak_ptr<const tls::Certificate>& known =
      certificates_[digest_of({content.chain, content.private_key, content.ocsp})];
  if (auto same = known.lock()) return same;
  auto parsed = tls::Certificate::parse(content.chain, content.private_key, content.ocsp);
  if (!parsed) return Error{fmt::format("certificate '{}': {}", name, parsed.error().message)};
  known = *parsed;
  return *parsed;
}

Result<std::shared_ptr<const tls::ClientCertificates>> ListenerTls::client_auth_for(
    const config::ClientAuth& settings, const config::Materials& materials) {
  const auto file = materials.files.find(settings.ca_file);
  const std::string_view pem = file == materials.files.end() ? std::string_view() : std::string_view(file->second);
  const bool required = settings.mode == config::ClientAuthMode::kRequire;
  std::weak_ptr<const tls::ClientCertificates>& known =
      client_auths_[digest_of({pem, required ? "require" : "request"})];
  if (auto same = known.lock()) return same;
  auto parsed = tls::ClientCertificates::parse(pem, required);
  if (!parsed) return Error{fmt::format("ca_file '{}': {}", settings.ca_file, parsed.error().message)};
  known = *parsed;
  return *parsed;
}

Result<ListenerTls::Settings> ListenerTls::settings_for(const config::Listener& listener,
                                                        const config::Document& document,
                                                        const config::Materials& materials) {
  const config::ListenerTls& wanted = *listener.tls;
  Settings settings;
  std::vector<std::string> names = wanted.certificates;
  if (names.empty()) {
    for (const auto& [name, certificate] : document.certificates) names.push_back(name);
  }
  for (const std::string& name : names) {
    auto certificate = certificate_for(name, materials);
    if (!certificate) return certificate.error();
    settings.certificates.push_back(std::move(*certificate));
  }
  auto initial = certificate_for(wanted.default_certificate.value_or(names.front()), materials);
  if (!initial) return initial.error();
  settings.initial = std::move(*initial);
  settings.refuse_unknown_names = wanted.unknown_sni == config::UnknownSni::kRefuse;
  settings.min_version = wanted.min_version;
  settings.ciphers = wanted.ciphers.value_or("");
  settings.http1 = listener.protocols.h1;
  settings.http2 = listener.protocols.h2;
  settings.tickets = wanted.session_tickets ? tickets_ : nullptr;
  if (wanted.client_auth) {
    auto auth = client_auth_for(*wanted.client_auth, materials);
    if (!auth) return auth.error();
    settings.client_auth = std::move(*auth);
  }
  for (const auto& [name, host] : document.hosts) {
    if (!serves(host, listener.name)) continue;
    std::shared_ptr<const tls::ClientCertificates> auth = settings.client_auth;
    if (host.client_auth) {
      auto own = client_auth_for(*host.client_auth, materials);
      if (!own) return own.error();
      auth = std::move(*own);
    }
    for (const std::string& one : host.names) settings.client_auth_of[one] = auth;
  }
  return settings;
}

Result<ListenerTls::Context> ListenerTls::context_for(const config::Listener& listener,
                                                      const config::Document& document,
                                                      const config::Materials& materials) {
  auto settings = settings_for(listener, document, materials);
  if (!settings) return settings.error();
  std::weak_ptr<const tls::ServerContext>& known = contexts_[digest_of(*settings)];
  if (auto same = known.lock()) return same;
  auto made = tls::ServerContext::create(std::move(*settings));
  if (!made) return Error{fmt::format("listener '{}': {}", listener.name, made.error().message)};
  known = *made;
  return *made;
}

void ListenerTls::settle() {
  const auto gone = [](const auto& one) { return one.second.expired(); };
  std::erase_if(contexts_, gone);
  std::erase_if(certificates_, gone);
  std::erase_if(client_auths_, gone);
}

}   // namespace proxyd::proxy
