#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/result.h"

namespace proxyd::store {

// Why the store did not do what was asked.
struct Failure {
  enum class Kind { kBusy, kFull, kDamaged, kConflict, kOther };
  Kind kind = Kind::kOther;
  std::string message;
};

template <class T>
using Outcome = Result<T, Failure>;

// An immutable, numbered version of the document.
struct Revision {
  uint64_t number = 0;
  uint64_t parent = 0;
  std::string created;   // RFC 3339
  std::string author;
  std::string origin;   // api, import, file, rollback, quick-start
  std::string message;
  std::string canonical;   // JSON
  std::string source;      // as it was written
  bool active = false;
};

// What an operator said about something for now; it survives restarts and goes when it expires.
struct Override {
  std::string subject;   // "target:app/app1:weight", "host:www:maintenance", "route:www/v1:split", "workers"
  std::string kind;      // drain, maintenance, weight, split, count, level
  std::string value;
  std::string owner;
  std::string reason;
  std::string created;
  std::string expires;   // RFC 3339, or empty
};

// What goes with a revision that does not name it any more.
struct Dropped {
  std::vector<Override> overrides;
  std::vector<std::string> upstreams;   // whose dynamic targets go
};

struct Token {
  std::string id;
  std::string name;
  std::string digest;   // SHA-256 of the secret, hexadecimal
  std::vector<std::string> scopes;
  std::string created;
  std::string expires;
};

// A target that came by the API, of an upstream whose membership is dynamic.
struct DynamicTarget {
  std::string upstream;
  std::string id;
  std::string target;     // canonical JSON, as in a document
  int64_t lease_ms = 0;   // how long it stays without being put again; 0: for good
  uint64_t version = 0;   // microseconds since 1970 of its last change, each once
  std::string author;
  std::string created;
  bool leaving = false;   // it was draining on its way out
};

// A browser that is logged in.
struct LoginSession {
  std::string digest;   // SHA-256 of its cookie, hexadecimal
  std::string name;     // "session:root"
  std::vector<std::string> scopes;
  std::string created;
  std::string expires;
};

// The revision in which each object of the document last changed, by its place ("upstreams/app").
using ObjectVersions = std::map<std::string, uint64_t>;

struct AuditEntry {
  uint64_t number = 0;
  std::string time;
  std::string author;
  std::string action;   // "PUT /api/v1/config"
  int status = 0;
  std::string detail;
};

// What a change of dynamic targets writes, in one go.
struct MembershipChange {
  std::vector<DynamicTarget> put;
  std::vector<DynamicTarget> removed;
  std::vector<Override> dropped;   // of those that were removed
  std::vector<AuditEntry> audit;   // of what nobody asked for just now: leases that ended
};

// A certificate that was uploaded. Its key is readable only with what is no part of the store.
struct UploadedCertificate {
  std::string name;
  std::string chain;        // PEM
  std::string sealed_key;   // by KeySeal, about `name`
  std::string created;
  std::string author;
};

// What was purged, for people: purges hold without it.
struct Purge {
  uint64_t id = 0;   // microseconds since 1970, each once
  std::string time;
  std::string author;
  std::string mode;       // hard, soft
  std::string subjects;   // JSON
  std::string reason;
};

// What is written after the fact, in one go.
struct Records {
  std::vector<Purge> purges;
  std::vector<AuditEntry> audit;
  bool empty() const { return purges.empty() && audit.empty(); }
};

// Where configuration outlives the process. One small interface, so that a networked database can take its place.
// Owned by the master; any thread, one call at a time inside. Every write is a transaction: whole or not at all.
class Store {
 public:
  virtual ~Store() = default;

  virtual Outcome<std::optional<Revision>> active_revision() = 0;
  // Makes `revision` the active one if the active one is its parent still, and `versions` those of its objects;
  // `dropped`, which it does not name any more, goes. Fails when its number is taken.
  virtual Outcome<void> commit_revision(const Revision& revision, const ObjectVersions& versions,
                                        const Dropped& dropped) = 0;
  virtual Outcome<ObjectVersions> object_versions() = 0;
  virtual Outcome<uint64_t> next_revision_number() = 0;
  // Newest first, older than `before` (0: from the newest), without documents.
  virtual Outcome<std::vector<Revision>> list_revisions(uint64_t before, size_t limit) = 0;
  virtual Outcome<std::optional<Revision>> read_revision(uint64_t number) = 0;

  virtual Outcome<std::vector<Override>> overrides() = 0;
  virtual Outcome<void> put_override(const Override& value) = 0;
  virtual Outcome<bool> remove_override(const std::string& subject) = 0;

  virtual Outcome<std::vector<DynamicTarget>> dynamic_targets() = 0;
  virtual Outcome<void> change_members(const MembershipChange& change) = 0;

  virtual Outcome<std::vector<Token>> tokens() = 0;
  virtual Outcome<void> add_token(const Token& token) = 0;
  virtual Outcome<bool> remove_token(const std::string& id) = 0;

  // The oldest go when there are more than `most`, and those that have expired.
  virtual Outcome<void> add_session(const LoginSession& session, size_t most) = 0;
  virtual Outcome<std::optional<LoginSession>> session(const std::string& digest) = 0;
  virtual Outcome<bool> remove_session(const std::string& digest) = 0;

  virtual Outcome<std::vector<std::string>> certificate_names() = 0;
  virtual Outcome<std::optional<UploadedCertificate>> certificate(const std::string& name) = 0;
  // In place of the one of its name.
  virtual Outcome<void> put_certificate(const UploadedCertificate& certificate) = 0;
  virtual Outcome<bool> remove_certificate(const std::string& name) = 0;

  virtual Outcome<void> append_audit(const AuditEntry& entry) = 0;
  virtual Outcome<std::vector<AuditEntry>> audit(uint64_t before, size_t limit) = 0;

  // Of purges the oldest go when there are more than `most`.
  virtual Outcome<void> append(const Records& records, size_t most) = 0;
  // Newest first, older than `before` (0: from the newest).
  virtual Outcome<std::vector<Purge>> purges(uint64_t before, size_t limit) = 0;

  // Why the content is not the newest (a damaged file was set aside), or empty.
  virtual std::string degraded() const = 0;
};

}   // namespace proxyd::store
