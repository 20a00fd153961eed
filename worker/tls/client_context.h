#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "worker/tls/openssl.h"

namespace proxyd::tls {

// What connections to one target are secured with: the name that is asked for and verified, whom we believe, and what
// we show. Immutable but for the session that the target gave last, which the next connection resumes. Owned by the
// targets that have it; in the worker, one thread.
class ClientContext {
 public:
  // What a handshake offers to speak (ALPN): nothing, which is HTTP/1.1 to everybody; HTTP/2; that and HTTP/1.1; or the
  // latter alone and by its name, where else HTTP/2 is offered too.
  enum class Offer : uint8_t { kNothing, kHttp2, kBoth, kHttp1 };
  struct Settings {
    std::string name;          // asked for (SNI) and verified; an address is verified only
    bool verify = true;        // else anybody is believed
    std::string authorities;   // PEM, when verified
    std::string certificate;   // PEM, leaf first; empty: we show none
    std::string private_key;
  };
  // Fails when a PEM can't be read.
  static Result<std::shared_ptr<ClientContext>> create(const Settings& settings);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  // A connection to be made. No memory: throws.
  UniqueSsl connect(Offer offer);

 private:
  explicit ClientContext(std::string name) : name_(std::move(name)) {}
  Result<void> configure(const Settings& settings);
  Result<void> trust(std::string_view authorities);
  Result<void> show(const Settings& settings);
  static int on_session(SSL* ssl, SSL_SESSION* session);

  std::string name_;
  bool verify_ = true;
  UniqueContext context_;
  SSL_SESSION* session_ = nullptr;
};

}   // namespace proxyd::tls
