#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/config/model.h"
#include "shared/tickets/ticket_region.h"
#include "worker/tls/certificate.h"
#include "worker/tls/client_hello.h"

namespace proxyd::tls {

// Who must show a certificate, and which. Immutable.
struct ClientCertificates {
  UniqueStore trusted;
  UniqueNames names;      // told to the client
  bool required = true;   // else asked for
  std::string id;         // tickets of one are nothing to another

  // Of the authorities in `pem`. Fails when there are none.
  static Result<std::shared_ptr<const ClientCertificates>> parse(std::string_view pem, bool required);
};

// What one handshake came to, beside what OpenSSL keeps. Lies in the connection.
struct Accepted {
  ServerName name;                                   // empty: the client asked for none
  const Certificate* certificate = nullptr;          // the first of those it was served with
  const ClientCertificates* client_auth = nullptr;   // null: nobody was asked for a certificate
};

// Everything that a listener needs to accept TLS: which certificate for which name, which clients must show one, with
// which versions and ciphers. Immutable; made of a snapshot, shared by the connections that were accepted under it. In
// the worker; nothing suspends.
class ServerContext {
 public:
  struct Settings {
    std::vector<std::shared_ptr<const Certificate>> certificates;   // one at least, in order of preference
    std::shared_ptr<const Certificate> initial;                     // for whoever asks for no name
    bool refuse_unknown_names = true;                               // else the initial one
    config::TlsVersion min_version = config::TlsVersion::k12;
    std::string ciphers;   // of TLS 1.2; empty: ours
    bool http2 = false;    // ALPN
    bool http1 = true;
    const tickets::TicketRegion* tickets = nullptr;          // null: no session is resumed
    std::shared_ptr<const ClientCertificates> client_auth;   // of the listener; null: none
    // Of hosts, by name, exact or "*.": instead of the listener's.
    std::map<std::string, std::shared_ptr<const ClientCertificates>> client_auth_of;
  };
  static Result<std::shared_ptr<const ServerContext>> create(Settings settings);

  // A connection to be accepted; `accepted` outlives it. No memory: throws.
  UniqueSsl accept(Accepted& accepted) const;
  // Whether a request for this host may come on that connection: it asked for that name, or for none, or its
  // certificate is for both; and who must show a certificate for it has been asked to.
  bool may_serve(const Accepted& accepted, std::string_view host) const;

 private:
  // Certificates of one name, one of each kind of key.
  using Set = std::vector<const Certificate*>;

  explicit ServerContext(Settings settings) : settings_(std::move(settings)) {}
  Result<void> configure();
  bool use(SSL* ssl, const Set& set) const;
  const Set* set_for(std::string_view host) const;
  const ClientCertificates* client_auth_for(std::string_view host) const;
  int choose(SSL* ssl, int& alert) const;
  static const ServerContext& of(const SSL* ssl);
  static int on_client_hello(SSL* ssl, int* alert, void* self);
  static int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                     unsigned int in_size, void* self);
  static int on_status(SSL* ssl, void* self);
  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                       int sealing);

  Settings settings_;
  UniqueContext context_;
  Set initial_;
  bool asks_clients_ = false;   // for a certificate, at any of its hosts
  std::map<std::string, Set, std::less<>> exact_;
  std::map<std::string, Set, std::less<>> wildcard_;   // by suffix, with its dot
};

}   // namespace proxyd::tls
