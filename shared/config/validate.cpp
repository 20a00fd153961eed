#include "shared/config/validate.h"

#include <fmt/format.h>

#include <map>

#include "shared/config/endpoint.h"
#include "shared/config/findings.h"
#include "shared/config/json_read.h"
#include "shared/config/validate_cache.h"
#include "shared/config/validate_limits.h"
#include "shared/config/validate_on_the_way.h"
#include "shared/config/validate_routes.h"
#include "shared/config/validate_tls.h"
#include "shared/config/validate_upstreams.h"

namespace proxyd::config {
namespace {

constexpr size_t kMostRoutes = 8192;
constexpr size_t kMostSockets = 200;   // they reach a worker in one message, with a snapshot and the logs

class Validator {
 public:
  Validator(const Json& json, const Document& document) : json_(json), document_(document) {}

  Findings run() {
    listeners();
    validate_tls(document_, findings_);
    validate_cache(document_, json_, findings_);
    validate_limits(document_, findings_);
    validate_upstreams(document_, findings_);
    validate_on_the_way(document_, part(json_, "defaults"), 0, "/defaults", findings_);
    hosts();
    logging();
    return {findings_.take_problems(), findings_.take_warnings()};
  }

 private:
  struct Bound {
    Endpoint endpoint;
    std::string listener;
  };
  // Hosts that share a name, and the listeners where each has it, one bit a listener.
  struct NameOwner {
    const Host* host = nullptr;
    uint64_t listeners = 0;
  };

  void listeners();
  void bind(const Listener& listener, size_t index, std::vector<Bound>& bound);
  void hosts();
  void host_names(const Host& host);
  uint64_t listeners_of(const Host& host) const;
  void logging();

  const Json& json_;
  const Document& document_;
  FindingsList findings_;
  std::map<std::string, std::vector<NameOwner>> name_owners_;
};

// Whether the kernel refuses one when the other is bound: the same address, or any address of its family beside it.
bool clash(const Endpoint& a, const Endpoint& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == Endpoint::Kind::kUnix) return a.path == b.path;
  if (a.port != b.port) return false;
  const auto is_ipv6 = [](const Endpoint& endpoint) { return endpoint.host.find(':') != std::string::npos; };
  const auto is_any = [](const Endpoint& endpoint) {
    return endpoint.host.empty() || endpoint.host == "0.0.0.0" || endpoint.host == "::";
  };
  return a.host == b.host || (is_ipv6(a) == is_ipv6(b) && (is_any(a) || is_any(b)));
}

void Validator::bind(const Listener& listener, size_t index, std::vector<Bound>& bound) {
  const std::string& address = listener.addresses[index];
  const auto endpoint = Endpoint::parse(address);
  if (!endpoint) return;
  for (const Bound& other : bound) {
    if (!clash(*endpoint, other.endpoint)) continue;
    return findings_.problem(fmt::format("/listeners/{}/addresses/{}", listener.name, index), "clash",
                             fmt::format("address '{}' is taken already, by listener '{}'", address, other.listener));
  }
  bound.push_back({*endpoint, listener.name});
}

void Validator::listeners() {
  std::vector<Bound> bound;
  size_t sockets = 0;
  for (const auto& [name, listener] : document_.listeners) {
    const std::string pointer = fmt::format("/listeners/{}", name);
    const bool both = member(part(part(json_, "listeners"), name.c_str()), "address");
    if (both) findings_.problem(pointer + "/address", "exclusive", "give either 'address' or 'addresses'");
    if (listener.addresses.empty() && !both) {
      findings_.problem(pointer, "missing",
                        fmt::format("listener '{}' has no address; give 'address' or 'addresses'", name));
    }
    for (size_t i = 0; i < listener.addresses.size(); ++i) bind(listener, i, bound);
    for (const std::string& address : listener.addresses) sockets += address.starts_with(':') ? 2 : 1;
  }
  if (sockets <= kMostSockets) return;
  findings_.problem("/listeners", "range",
                    fmt::format("{} sockets in all, at most {} can be; ':port' is two", sockets, kMostSockets));
}

uint64_t Validator::listeners_of(const Host& host) const {
  if (host.listeners.empty()) return UINT64_MAX;
  uint64_t mask = 0;
  uint64_t bit = 1;
  for (const auto& [name, listener] : document_.listeners) {
    for (const std::string& wanted : host.listeners) mask |= wanted == name ? bit : 0;
    bit <<= 1;
  }
  return mask;
}

// Two hosts with one name on one listener: nobody could tell whose request it is.
void Validator::host_names(const Host& host) {
  const uint64_t mine = listeners_of(host);
  for (size_t i = 0; i < host.names.size(); ++i) {
    const std::string at = fmt::format("/hosts/{}/names/{}", host.name, i);
    std::vector<NameOwner>& owners = name_owners_[host.names[i]];
    const NameOwner* other = nullptr;
    for (const NameOwner& owner : owners) other = (owner.listeners & mine) != 0 ? &owner : other;
    if (!other) {
      owners.push_back({&host, mine});
    } else if (other->host == &host) {
      findings_.problem(at, "clash", fmt::format("name '{}' is given twice", host.names[i]));
    } else {
      findings_.problem(at, "clash",
                        fmt::format("name '{}' is both of host '{}' and of host '{}' on one listener", host.names[i],
                                    other->host->name, host.name));
    }
  }
}

void Validator::hosts() {
  size_t routes = 0;
  for (const auto& [name, host] : document_.hosts) {
    const std::string pointer = fmt::format("/hosts/{}", name);
    const Json& json = part(part(json_, "hosts"), name.c_str());
    routes += host.routes.size();
    host_names(host);
    for (size_t i = 0; i < host.listeners.size(); ++i) {
      findings_.refer(document_.listeners, host.listeners[i], fmt::format("{}/listeners/{}", pointer, i), "listener");
    }
    if (host.purge) validate_purge(*host.purge, pointer + "/purge", findings_);
    validate_on_the_way(document_, json, 0, pointer, findings_);
    validate_routes(document_, host, json, findings_);
  }
  if (routes <= kMostRoutes) return;
  findings_.problem("/hosts", "range", fmt::format("{} routes in all, at most {} can be", routes, kMostRoutes));
}

void Validator::logging() {
  const auto check_file = [this](const std::string& pointer, bool to_file, const std::string& file) {
    if (to_file && file.empty()) findings_.problem(pointer, "missing", "key 'file' is missing: it goes with to: file");
    if (!to_file && !file.empty()) findings_.problem(pointer + "/file", "exclusive", "'file' goes with to: file");
  };
  const Logging& logging = document_.logging;
  for (size_t i = 0; i < logging.access.size(); ++i) {
    const AccessLog& log = logging.access[i];
    check_file(fmt::format("/logging/access/{}", i), log.to == AccessLog::Sink::kFile, log.file);
  }
  check_file("/logging/error", logging.error.to == "file", logging.error.file);
}

}   // namespace

Findings validate(const Json& canonical, const Document& document) { return Validator(canonical, document).run(); }

}   // namespace proxyd::config
