#include "worker/tls/server_context.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

#include "shared/base/digest.h"

namespace proxyd::tls {
namespace {

// Forward secrecy and authenticated encryption only; ECDSA and AES-128 first, which cost least.
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCiphers13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr const char* kSignatures =
    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ed25519:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:"
    "rsa_pss_rsae_sha512:rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";
constexpr long kTicketSeconds = 12 * 3600;
constexpr int kMostChain = 10;

int accepted_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Fetched once: to look it up by name costs more than to use it.
const EVP_CIPHER* ticket_cipher() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return cipher;
}

Accepted& accepted_of(SSL* ssl) { return *static_cast<Accepted*>(SSL_get_ex_data(ssl, accepted_index())); }

bool offers(std::string_view wanted, const unsigned char* in, unsigned int in_size) {
  for (unsigned int at = 0; at < in_size;) {
    const unsigned int size = in[at];
    if (at + 1 + size > in_size) return false;
    if (wanted == std::string_view(reinterpret_cast<const char*>(in + at + 1), size)) return true;
    at += 1 + size;
  }
  return false;
}

}   // namespace

Result<std::shared_ptr<const ClientCertificates>> ClientCertificates::parse(std::string_view pem, bool required) {
  ERR_clear_error();
  auto made = std::make_shared<ClientCertificates>();
  made->trusted.reset(X509_STORE_new());
  made->names.reset(sk_X509_NAME_new_null());
  made->required = required;
  const UniqueBio text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (UniqueCertificate authority{PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(made->trusted.get(), authority.get());
    sk_X509_NAME_push(made->names.get(), X509_NAME_dup(X509_get_subject_name(authority.get())));
  }
  ERR_clear_error();   // the end of the text
  if (sk_X509_NAME_num(made->names.get()) == 0) return Error{"there is no certificate of an authority in it"};
  const Sha256 digest = sha256(pem);
  made->id.assign(digest.begin(), digest.begin() + 16);
  made->id.push_back(required ? 'r' : 'o');
  return std::shared_ptr<const ClientCertificates>(std::move(made));
}

Result<std::shared_ptr<const ServerContext>> ServerContext::create(Settings settings) {
  std::shared_ptr<ServerContext> made(new ServerContext(std::move(settings)));
  if (auto configured = made->configure(); !configured) return configured.error();
  return std::shared_ptr<const ServerContext>(std::move(made));
}

Result<void> ServerContext::configure() {
  ERR_clear_error();
  context_.reset(SSL_CTX_new(TLS_server_method()));
  if (!context_) return Error{"OpenSSL gives no context: " + openssl_error()};
  SSL_CTX* context = context_.get();
  SSL_CTX_set_min_proto_version(context,
                                settings_.min_version == config::TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_NO_COMPRESSION);
  if (!settings_.tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);   // tickets only: no state here
  SSL_CTX_set_timeout(context, kTicketSeconds);
  SSL_CTX_set_num_tickets(context, settings_.tickets ? 1 : 0);   // each resumption brings the next
  SSL_CTX_set_verify_depth(context, kMostChain);
  const std::string& ciphers = settings_.ciphers;
  if (SSL_CTX_set_cipher_list(context, ciphers.empty() ? kCiphers12 : ciphers.c_str()) != 1)
    return Error{"no cipher of '" + ciphers + "' is known: " + openssl_error()};
  if (SSL_CTX_set_ciphersuites(context, kCiphers13) != 1 || SSL_CTX_set1_groups_list(context, kGroups) != 1 ||
      SSL_CTX_set1_sigalgs_list(context, kSignatures) != 1)
    return Error{"OpenSSL refuses our preferences: " + openssl_error()};
  SSL_CTX_set_client_hello_cb(context, &ServerContext::on_client_hello, this);
  SSL_CTX_set_alpn_select_cb(context, &ServerContext::on_alpn, this);
  SSL_CTX_set_tlsext_status_cb(context, &ServerContext::on_status);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &ServerContext::on_ticket);
  SSL_CTX_set_app_data(context, this);
  asks_clients_ = settings_.client_auth || std::any_of(settings_.client_auth_of.begin(), settings_.client_auth_of.end(),
                                                       [](const auto& host) { return host.second != nullptr; });
  const auto add = [](Set& set, const Certificate* one) {
    const bool known = std::any_of(set.begin(), set.end(),
                                   [one](const Certificate* other) { return other->key_type() == one->key_type(); });
    if (!known) set.push_back(one);
  };
  for (const auto& certificate : settings_.certificates) {
    for (const std::string& name : certificate->names())
      add(name.starts_with("*.") ? wildcard_[name.substr(1)] : exact_[name], certificate.get());
  }
  // With the initial one go those of other keys that have its first name.
  add(initial_, settings_.initial.get());
  if (const Set* siblings = settings_.initial->names().empty() ? nullptr : set_for(settings_.initial->names().front()))
    for (const Certificate* one : *siblings) add(initial_, one);
  for (const Certificate* one : initial_) {
    if (SSL_CTX_use_cert_and_key(context, one->leaf(), one->key(), one->chain(), 0) != 1)
      return Error{"OpenSSL refuses a certificate: " + openssl_error()};
  }
  return {};
}

const ServerContext::Set* ServerContext::set_for(std::string_view host) const {
  if (const auto exact = exact_.find(host); exact != exact_.end()) return &exact->second;
  const size_t dot = host.find('.');
  if (dot == std::string_view::npos || dot == 0) return nullptr;
  const auto wildcard = wildcard_.find(host.substr(dot));
  return wildcard == wildcard_.end() ? nullptr : &wildcard->second;
}

// Exact names first, then wildcards at any depth, the longest first, as routing finds hosts.
const ClientCertificates* ServerContext::client_auth_for(std::string_view host) const {
  if (!asks_clients_) return nullptr;
  const auto& own = settings_.client_auth_of;
  if (!own.empty()) {
    if (const auto exact = own.find(std::string(host)); exact != own.end()) return exact->second.get();
    for (size_t dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
      const auto wildcard = own.find("*" + std::string(host.substr(dot)));
      if (wildcard != own.end()) return wildcard->second.get();
    }
    if (const auto any = own.find("*"); any != own.end()) return any->second.get();
  }
  return settings_.client_auth.get();
}

bool ServerContext::may_serve(const Accepted& accepted, std::string_view host) const {
  const std::string_view asked = accepted.name.text();
  if (!asked.empty() && asked != host && !accepted.certificate->covers(host)) return false;
  const ClientCertificates* needed = client_auth_for(host);
  return !needed || (accepted.client_auth && needed->id == accepted.client_auth->id);
}

UniqueSsl ServerContext::accept(Accepted& accepted) const {
  UniqueSsl ssl(SSL_new(context_.get()));
  if (!ssl) throw std::bad_alloc();
  SSL_set_accept_state(ssl.get());
  SSL_set_ex_data(ssl.get(), accepted_index(), &accepted);
  return ssl;
}

bool ServerContext::use(SSL* ssl, const Set& set) const {
  if (&set == &initial_ || set == initial_) return true;   // as the context has it
  SSL_certs_clear(ssl);
  return std::all_of(set.begin(), set.end(), [ssl](const Certificate* one) {
    return SSL_use_cert_and_key(ssl, one->leaf(), one->key(), one->chain(), 1) == 1;
  });
}

// Before anything is decided, so that a session of another host's client certificates is not resumed.
int ServerContext::choose(SSL* ssl, int& alert) const {
  Accepted& accepted = accepted_of(ssl);
  const unsigned char* extension = nullptr;
  size_t size = 0;
  const Set* set = &initial_;
  alert = SSL_AD_PROTOCOL_VERSION;
  if (SSL_client_hello_get0_legacy_version(ssl) < TLS1_2_VERSION) return SSL_CLIENT_HELLO_ERROR;   // RFC 8996
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &size) == 1) {
    using State = ServerNameExtension::State;
    const ServerNameExtension asked = read_server_name({extension, size});
    alert = asked.state == State::kTwoNames ? SSL_AD_ILLEGAL_PARAMETER : SSL_AD_DECODE_ERROR;
    if (asked.state == State::kTwoNames || asked.state == State::kMalformed) return SSL_CLIENT_HELLO_ERROR;
    accepted.name = asked.name;
    set = asked.state == State::kName ? set_for(asked.name.text()) : nullptr;
    alert = SSL_AD_UNRECOGNIZED_NAME;
    if (!set && settings_.refuse_unknown_names) return SSL_CLIENT_HELLO_ERROR;
    if (!set) set = &initial_;
  }
  alert = SSL_AD_INTERNAL_ERROR;
  if (!use(ssl, *set)) return SSL_CLIENT_HELLO_ERROR;
  accepted.certificate = set->front();
  accepted.client_auth = client_auth_for(accepted.name.text());
  const ClientCertificates* auth = accepted.client_auth;
  const std::string id = auth ? auth->id : std::string("none");
  SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>(id.data()), static_cast<unsigned>(id.size()));
  if (!auth) return SSL_CLIENT_HELLO_SUCCESS;
  SSL_set_verify(ssl, SSL_VERIFY_PEER | (auth->required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  SSL_set1_verify_cert_store(ssl, auth->trusted.get());
  SSL_set_client_CA_list(ssl, SSL_dup_CA_list(auth->names.get()));
  return SSL_CLIENT_HELLO_SUCCESS;
}

int ServerContext::on_client_hello(SSL* ssl, int* alert, void* self) {
  const int result = static_cast<const ServerContext*>(self)->choose(ssl, *alert);
  ERR_clear_error();
  return result;
}

// Without a protocol in common there is nothing to talk in (RFC 7301 3.2); a client that names none speaks HTTP/1.
int ServerContext::on_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                           unsigned int in_size, void* self) {
  const auto take = [out, out_size](std::string_view protocol) {
    *out = reinterpret_cast<const unsigned char*>(protocol.data());
    *out_size = static_cast<unsigned char>(protocol.size());
    return SSL_TLSEXT_ERR_OK;
  };
  const Settings& settings = static_cast<const ServerContext*>(self)->settings_;
  if (settings.http2 && offers("h2", in, in_size)) return take("h2");
  if (settings.http1 && offers("http/1.1", in, in_size)) return take("http/1.1");
  if (settings.http1 && offers("http/1.0", in, in_size)) return take("http/1.0");
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int ServerContext::on_status(SSL* ssl, void*) {
  const X509* leaf = SSL_get_certificate(ssl);
  const ServerContext& self = of(ssl);
  for (const auto& certificate : self.settings_.certificates) {
    if (certificate->leaf() != leaf || certificate->ocsp().empty()) continue;
    const std::string& response = certificate->ocsp();
    auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(response.data(), response.size()));
    if (!copy) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(response.size()));   // takes it over
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

const ServerContext& ServerContext::of(const SSL* ssl) {
  return *static_cast<const ServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

// Sealed with the current key; opened with any that is known, and renewed when it was the previous one's.
int ServerContext::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                             int sealing) {
  const ServerContext& self = of(ssl);
  if (!self.settings_.tickets) return 0;
  const tickets::TicketKeys keys = self.settings_.tickets->read();
  const auto is = [name](const tickets::TicketKey& key) { return std::memcmp(name, key.name.data(), 16) == 0; };
  const tickets::TicketKey& key = sealing || is(keys.current) ? keys.current
                                  : is(keys.next)             ? keys.next
                                                              : keys.previous;
  if (!sealing && !is(key)) return 0;   // sealed before the last rotation but one, or elsewhere
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string("key", const_cast<uint8_t*>(key.mac.data()), key.mac.size()),
      OSSL_PARAM_construct_utf8_string("digest", const_cast<char*>("SHA256"), 0), OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
  if (sealing) {
    std::memcpy(name, key.name.data(), 16);
    if (RAND_bytes(iv, 16) != 1) return -1;
    return EVP_EncryptInit_ex(cipher, ticket_cipher(), nullptr, key.cipher.data(), iv) == 1 ? 1 : -1;
  }
  if (EVP_DecryptInit_ex(cipher, ticket_cipher(), nullptr, key.cipher.data(), iv) != 1) return -1;
  return is(keys.previous) ? 2 : 1;
}

}   // namespace proxyd::tls
