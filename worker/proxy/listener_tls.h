#pragma once

#include <map>
#include <memory>
#include <string>

#include "shared/config/snapshot.h"
#include "worker/tls/server_context.h"

namespace proxyd::proxy {

// Makes what listeners accept TLS with, of snapshots. Owned by the configuration's builder. What is the same as before,
// by its content, is taken over: a change of one certificate parses that one, and nobody's sessions are lost.
class ListenerTls {
 public:
  using Context = std::shared_ptr<const tls::ServerContext>;

  // `tickets` outlives every context.
  explicit ListenerTls(const tickets::TicketRegion* tickets) : tickets_(tickets) {}

  // For a listener with `tls`. Fails naming the certificate or the file.
  Result<Context> context_for(const config::Listener& listener, const config::Document& document,
                              const config::Materials& materials);
  // What no context uses any more is let go.
  void settle();

 private:
  using Settings = tls::ServerContext::Settings;
  Result<std::shared_ptr<const tls::Certificate>> certificate_for(const std::string& name,
                                                                  const config::Materials& materials);
  Result<std::shared_ptr<const tls::ClientCertificates>> client_auth_for(const config::ClientAuth& settings,
                                                                         const config::Materials& materials);
  Result<Settings> settings_for(const config::Listener& listener, const config::Document& document,
                                const config::Materials& materials);

  const tickets::TicketRegion* tickets_;
  std::map<std::string, std::weak_ptr<const tls::Certificate>> certificates_;   // by digest of the content
  std::map<std::string, std::weak_ptr<const tls::ClientCertificates>> client_auths_;
  std::map<std::string, std::weak_ptr<const tls::ServerContext>> contexts_;
};

}   // namespace proxyd::proxy
