#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/config/model.h"

namespace proxyd::config {

// What an operator said about one target for now: it is not in the document.
enum class Admission { kReady, kDraining, kMaintenance };

// One address of a target: a member of its own in the balancing.
struct TargetPlace {
  std::string address;    // "127.0.0.1:80", "[::1]:80", "unix:/path"
  uint32_t row = 0;       // in the status region
  uint32_t share = 100;   // percent of the target's weight that it has
  bool reserve = false;   // used as a backup is, whatever the target is
  bool operator==(const TargetPlace&) const = default;
};

// What the master found out for one target when it compiled the snapshot.
struct TargetMaterial {
  std::vector<TargetPlace> places;   // empty: the name does not resolve
  Admission admission = Admission::kReady;
  std::optional<uint32_t> weight;   // override of the document's
  // Rows of addresses that it had, where requests may still be. The master's alone: they do not travel.
  std::vector<uint32_t> leaving = {};
  bool operator==(const TargetMaterial&) const = default;

  // Where requests of the target are counted.
  std::vector<uint32_t> rows() const;
};

// A certificate of the document as it is served: checked by the master, which takes no file that is wrong.
struct CertificateMaterial {
  std::string chain;         // PEM, the leaf first, each signed by the next
  std::string private_key;   // PEM, of the leaf
  std::string ocsp;          // the response to staple, DER; empty: none
  bool operator==(const CertificateMaterial&) const = default;
};

// A host that a person took out of service.
struct Closed {
  int64_t until_ms = 0;   // since 1970; 0: until it is said otherwise
  bool operator==(const Closed&) const = default;
};

// What goes with the canonical document to the workers and is not in it: resolved addresses, row numbers, overrides,
// contents of files. Secrets are among them: a snapshot is never logged, answered or stored.
struct Materials {
  std::map<std::string, TargetMaterial> targets;   // "upstream/target" → material
  std::string sticky_key;                          // that marks of sticky cookies are made with; a secret
  std::map<std::string, uint32_t> upstreams;       // name → row of its common turn in the status region
  std::map<std::string, uint32_t> limits;          // rate limit → its number in the limits region
  // Targets that came by the API, of upstreams whose membership is dynamic: upstream → id → target.
  std::map<std::string, std::map<std::string, Target>> members;
  std::map<std::string, Closed> closed_hosts;                      // in maintenance for now, by name
  std::map<std::string, std::map<std::string, uint32_t>> shares;   // "host/route" → shares of its split for now
  std::map<std::string, std::string> files;                        // path → content, less a final line end
  // By name. Empty where no file was read: in what only questions are answered by.
  std::map<std::string, CertificateMaterial> certificates;
  bool operator==(const Materials&) const = default;
};

// Tells which of two snapshots is newer: the number of an edition grows with its revision, and within it its epoch.
constexpr uint64_t edition_number(uint64_t revision, uint64_t epoch) { return revision << 32 | (epoch & 0xFFFFFFFF); }

// One numbered, immutable configuration: a revision of the document and an epoch of its materials.
struct Snapshot {
  uint64_t revision = 0;
  uint64_t epoch = 0;
  std::string canonical;   // canonical JSON
  Materials materials;

  uint64_t edition() const { return edition_number(revision, epoch); }
};

// Puts a snapshot into a memfd sealed against every change: {magic, format, revision, epoch, length, SHA-256}, the
// canonical JSON, the materials as JSON. The caller owns the descriptor. Fails when the kernel has no memory for it.
Result<UniqueFd> seal(const Snapshot& snapshot);

// Reads one back; the descriptor stays the caller's. Refuses what is not sealed, of another format, cut short, or
// does not hash to what it says.
Result<Snapshot> unseal(int descriptor);

}   // namespace proxyd::config
