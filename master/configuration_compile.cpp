#include <fmt/format.h>

#include <cstdlib>

#include "master/certificate_findings.h"
#include "master/certificates/cipher_list.h"
#include "master/configuration.h"
#include "master/site_override.h"
#include "master/target_places.h"
#include "master/value_files.h"
#include "shared/config/snapshot.h"
#include "shared/config/validate_upstreams.h"

// How a document becomes something that workers can serve by.
namespace proxyd::master {
namespace {

constexpr milliseconds kLookup{2000};
constexpr size_t kMostPlaces = 4096;   // half the rows: all may be others the next time

void apply_overrides(config::Materials& materials, const config::Document& document,
                     const std::vector<store::Override>& overrides) {
  for (const store::Override& one : overrides) {
    apply_site_override(materials, document, one);
    const auto subject = TargetSubject::parse(one.subject);
    const auto material = subject ? materials.targets.find(subject->name()) : materials.targets.end();
    if (material == materials.targets.end()) continue;
    if (one.kind == "drain") material->second.admission = config::Admission::kDraining;
    if (one.kind == "maintenance") material->second.admission = config::Admission::kMaintenance;
    if (one.kind == "weight")
      material->second.weight = static_cast<uint32_t>(std::strtoul(one.value.c_str(), nullptr, 10));
  }
}

// What the API said of dynamic targets.
void apply_members(config::Materials& materials, const Members& members) {
  materials.members = targets_of(members);
  for (const auto& [upstream, all] : members) {
    for (const auto& [id, member] : all) {
      const auto material = materials.targets.find(upstream + "/" + id);
      if (!member.leaving.empty() && material != materials.targets.end())
        material->second.admission = config::Admission::kDraining;
    }
  }
}

// Those of the document and those that came by the API.
std::optional<std::string> too_many_targets(const config::Document& document) {
  size_t count = 0;
  for (const auto& [name, upstream] : document.upstreams) count += upstream.targets.size();
  if (count <= config::kMostTargets) return std::nullopt;
  return fmt::format("{} targets in all, at most {} can be", count, config::kMostTargets);
}

}   // namespace

std::optional<Configuration::Failure> Configuration::read_files(ActiveConfiguration& next) {
  auto files = read_value_files(next.document);
  if (!files) return Failure::refused(files.error().message, files.error().pointer);
  next.files = std::move(*files);
  next.certificates.clear();
  for (const auto& [name, certificate] : next.document.certificates) {
    auto checked = read_certificate(certificate);
    if (!checked) return Failure::refused(checked.error().message, checked.error().pointer);
    next.certificates[name] = std::make_shared<const CheckedCertificate>(std::move(*checked));
  }
  return std::nullopt;
}

std::optional<Configuration::Failure> Configuration::read_outside(ActiveConfiguration& next, const Way& way) {
  for (const auto& [name, listener] : next.document.listeners) {
    const auto taken = listener.tls && listener.tls->ciphers ? check_ciphers(*listener.tls->ciphers) : Result<void>();
    if (!taken) return Failure::refused(taken.error().message, fmt::format("/listeners/{}/tls/ciphers", name));
  }
  if (way.read == Again::kEverything) {
    if (const auto failure = read_files(next)) return failure;
  }
  if (way.read == Again::kNothing) return std::nullopt;
  auto logs = LogFiles::open(next.document.logging, way.purpose);
  if (!logs) return Failure::refused(logs.error().message, "/logging");
  next.logs = std::make_shared<const LogFiles>(std::move(*logs));
  return std::nullopt;
}

// Where each target is; a warning for those of which that is not known yet.
Resolver::Answers Configuration::find_targets(ActiveConfiguration& next, config::Materials& materials) {
  std::vector<dns::Query> queries;
  for (const auto& [upstream_name, upstream] : next.document.upstreams) {
    for (const auto& [id, target] : upstream.targets) queries.push_back({target.address, upstream.resolve});
  }
  Resolver::Answers addresses = parts_.resolver.addresses(queries, kLookup);
  size_t room = kMostPlaces - std::min(kMostPlaces, queries.size());   // for more than one of each
  for (const auto& [upstream_name, upstream] : next.document.upstreams) {
    if (upstream.targets.empty() && upstream.membership == config::Membership::kDynamic)
      next.warnings.push_back({"/upstreams/" + upstream_name, 0, 0, "empty",
                               fmt::format("upstream '{0}' has no target yet, so its requests get 503: "
                                           "proxyctl upstream target add {0} ADDRESS",
                                           upstream_name),
                               ""});
    for (const auto& [id, target] : upstream.targets) {
      auto& material = materials.targets[upstream_name + "/" + id];
      material.places = target_places(addresses.at({target.address, upstream.resolve}));
      const std::string pointer = fmt::format("/upstreams/{}/targets/{}/address", upstream_name, id);
      if (material.places.empty())
        next.warnings.push_back({pointer, 0, 0, "unresolved",
                                 fmt::format("'{}' does not resolve yet: the target is 'checking'", target.address),
                                 ""});
      if (material.places.size() > room + 1) {
        next.warnings.push_back({pointer, 0, 0, "addresses-left-out",
                                 fmt::format("{} of the addresses of '{}' get no requests: {} can be in all",
                                             material.places.size() - room - 1, target.address, kMostPlaces),
                                 ""});
        material.places.resize(room + 1);
      }
      room -= material.places.empty() ? 0 : material.places.size() - 1;
    }
  }
  return addresses;
}

Result<Configuration::Compiled, Configuration::Failure> Configuration::compile(ActiveConfiguration& next,
                                                                               const Way& way) {
  if (const auto failure = read_outside(next, way)) return *failure;
  if (const auto fault = too_many_targets(next.document)) return Failure::refused(*fault, "/upstreams");
  if (const auto fault = above_ceiling(next.document))
    next.warnings.push_back({"/cache/memory", 0, 0, "above-ceiling", "cache.memory " + *fault, ""});
  config::Materials found;
  Resolver::Answers addresses = find_targets(next, found);
  auto rows = parts_.regions.assign_rows(next.document, std::move(found),
                                         config::edition_number(next.revision.number, next.epoch));
  if (!rows) return Failure::refused(rows.error().message);
  config::Materials materials = rows->materials;
  materials.files = next.files;
  materials.sticky_key = sticky_key_.of(next.document);
  for (const auto& [name, certificate] : next.certificates) materials.certificates[name] = certificate->material;
  for (config::Problem& warning :
       certificate_warnings(next.document, next.certificates, std::chrono::system_clock::now()))
    next.warnings.push_back(std::move(warning));
  apply_overrides(materials, next.document, next.overrides);
  apply_members(materials, next.members);
  next.targets = materials.targets;
  auto sockets = parts_.listeners.prepare(next.document.listeners, way.bind_patience, way.purpose);
  if (!sockets) return Failure::refused(sockets.error().message, "/listeners");
  auto snapshot = config::seal({next.revision.number, next.epoch, next.canonical.dump(), std::move(materials)});
  if (!snapshot) return Failure::refused(snapshot.error().message);
  auto publication = std::make_shared<ipc::Publication>();
  publication->edition = {next.revision.number, next.epoch};
  publication->snapshot = std::move(*snapshot);
  // A worker that is slow to forget a rehearsal would keep the addresses from the change itself.
  if (way.purpose == Purpose::kRehearsal) sockets->clear();
  for (const ListeningSocket& socket : *sockets)
    publication->sockets.push_back({socket.listener, socket.address, ipc::duplicate(socket.descriptor)});
  for (const UniqueFd& log : next.logs->access) publication->access_logs.push_back(ipc::duplicate(log.value()));
  publication->error_log = ipc::duplicate(next.logs->error.value());
  return Compiled{std::move(publication), std::move(*rows), std::move(addresses)};
}

}   // namespace proxyd::master
