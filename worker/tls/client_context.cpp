#include "worker/tls/client_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

#include "worker/tls/certificate.h"

namespace proxyd::tls {
namespace {

bool is_address(const std::string& name) {
  std::array<unsigned char, 16> octets;
  return ::inet_pton(AF_INET, name.c_str(), octets.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), octets.data()) == 1;
}

// As the extension has it, each with its length before it (RFC 7301 3.1).
std::string_view protocols(ClientContext::Offer offer) {
  switch (offer) {
    case ClientContext::Offer::kHttp2: return "\x02h2";
    case ClientContext::Offer::kBoth: return "\x02h2\x08http/1.1";
    case ClientContext::Offer::kHttp1: return "\x08http/1.1";
    case ClientContext::Offer::kNothing: break;
  }
  return {};
}

}   // namespace

Result<std::shared_ptr<ClientContext>> ClientContext::create(const Settings& settings) {
  std::shared_ptr<ClientContext> made(new ClientContext(settings.name));
  if (auto configured = made->configure(settings); !configured) return configured.error();
  return made;
}

ClientContext::~ClientContext() { SSL_SESSION_free(session_); }

Result<void> ClientContext::configure(const Settings& settings) {
  ERR_clear_error();
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!context_) return Error{"OpenSSL gives no context: " + openssl_error()};
  SSL_CTX* context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, &ClientContext::on_session);
  SSL_CTX_set_app_data(context, this);
  verify_ = settings.verify;
  SSL_CTX_set_verify(context, verify_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (verify_ && name_.empty()) return Error{"there is no name to verify a certificate by"};
  if (verify_) {
    if (auto trusted = trust(settings.authorities); !trusted) return trusted;
  }
  return settings.certificate.empty() ? Result<void>() : show(settings);
}

Result<void> ClientContext::trust(std::string_view authorities) {
  X509_STORE* store = SSL_CTX_get_cert_store(context_.get());
  const UniqueBio text(BIO_new_mem_buf(authorities.data(), static_cast<int>(authorities.size())));
  int count = 0;
  while (UniqueCertificate authority{PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)})
    count += X509_STORE_add_cert(store, authority.get());
  ERR_clear_error();   // the end of the text
  if (count == 0) return Error{"there is no certificate of an authority to verify by"};
  return {};
}

Result<void> ClientContext::show(const Settings& settings) {
  const auto own = Certificate::parse(settings.certificate, settings.private_key, {});
  if (!own) return own.error();
  const Certificate& shown = **own;
  if (SSL_CTX_use_cert_and_key(context_.get(), shown.leaf(), shown.key(), shown.chain(), 1) != 1)
    return Error{"OpenSSL refuses the certificate: " + openssl_error()};
  return {};
}

UniqueSsl ClientContext::connect(Offer offer) {
  UniqueSsl ssl(SSL_new(context_.get()));
  if (!ssl) throw std::bad_alloc();
  SSL_set_connect_state(ssl.get());
  if (!name_.empty() && !is_address(name_)) {
    if (SSL_set_tlsext_host_name(ssl.get(), name_.c_str()) != 1) throw std::bad_alloc();
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (verify_ && SSL_set1_host(ssl.get(), name_.c_str()) != 1) throw std::bad_alloc();
  } else if (verify_ && X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name_.c_str()) != 1) {
    throw std::bad_alloc();
  }
  if (const std::string_view list = protocols(offer); !list.empty()) {
    const auto* octets = reinterpret_cast<const unsigned char*>(list.data());
    if (SSL_set_alpn_protos(ssl.get(), octets, static_cast<unsigned int>(list.size())) != 0) throw std::bad_alloc();
  }
  if (session_) SSL_set_session(ssl.get(), session_);
  return ssl;
}

// Takes the session over.
int ClientContext::on_session(SSL* ssl, SSL_SESSION* session) {
  auto& self = *static_cast<ClientContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  SSL_SESSION_free(std::exchange(self.session_, session));
  return 1;
}

}   // namespace proxyd::tls
