#include "worker/proxy/admission.h"

namespace proxyd::proxy {

bool is_denied(const Request& request) {
  for (const AccessRule& rule : request.configuration->route_access[request.matched.route->index]) {
    if (rule.list->admits(request.facts.client)) continue;
    rule.denied.add();
    return true;
  }
  return false;
}

}   // namespace proxyd::proxy
