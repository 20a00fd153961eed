#include "worker/proxy/route_auth.h"

namespace proxyd::proxy {

using authentication::Requirement;

Result<std::vector<Requirements::Shared>> Requirements::of_route(const config::Route& route,
                                                                 const config::Materials& materials) {
  std::vector<Shared> requirements;
  for (const config::Auth& settings : route.auth) {
    auto& known = made_[Requirement::identity_of(settings, materials.files)];
    Shared requirement = known.lock();
    if (!requirement) {
      auto made = Requirement::make(settings, materials.files);
      if (!made) return made.error();
      known = requirement = std::move(*made);
    }
    requirements.push_back(std::move(requirement));
  }
  return requirements;
}

void Requirements::settle() {
  std::erase_if(made_, [](const auto& entry) { return entry.second.expired(); });
}

}   // namespace proxyd::proxy
