#include "cli/commands/sites.h"

namespace proxyd::cli {

Session::HintFor hint_of_host(const Session& session, const std::string& host) {
  return [&session, host](const Reply& reply) {
    return reply.status == 404 ? meant(session, "/api/v1/hosts", "name", host, "proxyctl route list") : std::string();
  };
}

}   // namespace proxyd::cli
