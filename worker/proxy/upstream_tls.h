#pragma once

#include <map>
#include <memory>
#include <string>

#include "shared/config/snapshot.h"
#include "worker/tls/client_context.h"

namespace proxyd::proxy {

// Makes what connections to targets are secured with, of snapshots. Owned by the configuration's builder. What is the
// same as before, by its content, is taken over, with the sessions that targets gave.
class UpstreamTls {
 public:
  using Context = std::shared_ptr<tls::ClientContext>;

  // Null without `tls`. Fails naming the file.
  Result<Context> context_for(const config::Upstream& upstream, const config::Target& target,
                              const config::Materials& materials);
  // What no target uses any more is let go.
  void settle();

 private:
  std::map<std::string, std::weak_ptr<tls::ClientContext>> contexts_;   // by digest of what they are made of
};

}   // namespace proxyd::proxy
