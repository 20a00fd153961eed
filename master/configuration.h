#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "master/bootstrap.h"
#include "master/certificate_vault.h"
#include "master/certificate_watch.h"
#include "master/certificates/certificate_files.h"
#include "master/events.h"
#include "master/leases.h"
#include "master/listeners.h"
#include "master/log_files.h"
#include "master/member_edits.h"
#include "master/members.h"
#include "master/object_versions.h"
#include "master/region_keeper.h"
#include "master/resolver.h"
#include "master/sticky_key.h"
#include "master/store/store.h"
#include "master/target_subject.h"
#include "master/worker_pool.h"
#include "shared/config/decode.h"

namespace proxyd::master {

// The revision in force, whole. Immutable; shared with whoever reads it.
struct ActiveConfiguration {
  store::Revision revision;
  config::Json canonical;
  config::Document document;                               // with the targets that came by the API
  Members members;                                         // those
  std::map<std::string, config::TargetMaterial> targets;   // "upstream/target"
  std::vector<store::Override> overrides;                  // of targets and sites, in force
  std::map<std::string, std::string> files;                // those that the document names, as they were read
  Certificates certificates;                               // the same
  std::shared_ptr<const LogFiles> logs;
  std::vector<config::Problem> warnings;
  uint64_t epoch = 0;
  ObjectVersions versions;
};

// The life of a change: a decoded document becomes a compiled snapshot, every worker prepares it,
// the store commits it, every worker activates it. Any failure before the commit leaves the old revision in force;
// after it nothing fails. Overrides and name lookups make new epochs of the same revision through the same door. Owned
// by the master; any thread, one change at a time.
class Configuration {
 public:
  struct Parts {
    store::Store& store;
    CertificateVault& vault;
    RegionKeeper& regions;
    WorkerPool& pool;
    Listeners& listeners;
    Resolver& resolver;
    Events& events;
    Log& log;
    std::string state_folder;
  };
  explicit Configuration(Parts parts) : parts_(parts), sticky_key_(parts.state_folder, parts.log) {}
  ~Configuration() { parts_.log.set_descriptor(2); }
  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;

  struct Request {
    config::Decoded decoded;                   // valid
    std::optional<uint64_t> expected_parent;   // If-Match
    std::string author;
    std::string origin;
    std::string message;
    std::string source;
    bool dry_run = false;   // all but the commit: what would fail, fails
    milliseconds bind_patience{0};
  };
  struct Applied {
    uint64_t revision = 0;
    uint64_t parent = 0;
    std::vector<config::Change> changes;
    size_t workers = 0;
    size_t acknowledged = 0;
    std::vector<config::Problem> warnings;
  };
  struct Failure {
    enum class Kind { kChangedMeanwhile, kActivationFailed, kStoreFull, kStoreBusy, kStoreFailed, kRehearsed };
    Kind kind = Kind::kActivationFailed;
    std::string message;
    std::string pointer;
    int worker = -1;

    static Failure refused(std::string why, std::string where = {}, int by_worker = -1) {
      return {Kind::kActivationFailed, std::move(why), std::move(where), by_worker};
    }
    static Failure of_store(const store::Failure& failure);
  };
  Result<Applied, Failure> apply(Request request);

  // A document that is not in force as a snapshot that a question can be answered by: it gets no rows, no listeners, no
  // lookups of its own, and no file is read for who may only ask; what it shares with the document in force it knows.
  // `revision` is what it says it is.
  Result<UniqueFd, Failure> sealed_apart(const config::Decoded& decoded, uint64_t revision);

  // Null before the first revision.
  std::shared_ptr<const ActiveConfiguration> active() const;

  // An override of a target (admission or weight), a host or a split. In force and kept, or neither. The document must
  // name what it is about.
  Result<void, Failure> put_override(const store::Override& value);
  // False when there is none.
  Result<bool, Failure> clear_override(const std::string& subject);
  // Drops what has expired. Called once a second.
  void expire_overrides();
  // What of the outside is read again for a new epoch; what is not stays as it was read, whatever became of the files.
  enum class Again { kNothing, kLogs, kEverything };
  // What a call makes of the dynamic targets: whether it changed any. It is asked under the lock of changes, perhaps
  // more than once, and may not wait.
  using MemberEdit = std::function<bool(const ActiveConfiguration& now, Members& members)>;
  struct MembersChanged {
    bool changed = false;
    std::shared_ptr<const ActiveConfiguration> active;   // with them; in a rehearsal what is in force
    size_t acknowledged = 0;
    std::vector<config::Problem> warnings;   // of all targets
  };
  // A new epoch of the revision, kept and served by every worker, or nothing; with what others change within the same
  // second. `audit` is written with it.
  Result<MembersChanged, Failure> change_members(const MemberEdit& edit,
                                                 const std::vector<store::AuditEntry>& audit = {});
  // The same without its coming into force: what would fail, fails.
  Result<MembersChanged, Failure> rehearse_members(const MemberEdit& edit);
  // Leases that ended make their targets drain, and what has drained goes. Called once a second.
  void tend_members();
  Leases& leases() { return leases_; }
  // Something behind the document changed (a name's addresses, files): the same revision, a new epoch. Nothing before
  // the first revision.
  Result<void, Failure> publish_epoch(Again again);
  // Reads the certificates whose files have changed; right ones make a new epoch, of wrong ones the former serve on.
  // Called once a second.
  void refresh_certificates();
  // One of those that were uploaded, in place of the one there is: kept and served by every worker, or neither. How
  // many acknowledged it. The document must name it so.
  Result<size_t, Failure> put_certificate(const std::string& name, CheckedCertificate checked,
                                          const std::string& author);
  // Reads this one again now; the document must name it. With `dry_run` nothing comes of it.
  struct Reloaded {
    bool changed = false;
    size_t acknowledged = 0;
  };
  Result<Reloaded, Failure> reload_certificate(const std::string& name, bool dry_run);
  // What is wrong with the newest files of certificates, by name.
  std::map<std::string, std::string> certificate_faults() const { return watch_.faults(); }
  // The end: no change any more, and the listening sockets close, so that nobody waits in their backlog in vain.
  void close();
  // Starts with what the store has active. False when there is nothing.
  Result<bool, Failure> resume(milliseconds bind_patience);

 private:
  using Commit = std::function<std::optional<Failure>()>;
  struct Way {
    Again read = Again::kNothing;
    milliseconds bind_patience{0};
    Purpose purpose = Purpose::kServing;
  };
  struct Compiled {
    std::shared_ptr<ipc::Publication> publication;
    RegionKeeper::Assignment rows;
    Resolver::Answers addresses;
  };
  struct MemberPart {
    const MemberEdit& edit;
    const std::vector<store::AuditEntry>& audit;
    bool changed = false;
    std::optional<Result<MembersChanged, Failure>> outcome;
  };
  void perform_edits(const std::vector<MemberPart*>& parts);
  bool perform_together(const std::vector<MemberPart*>& parts);
  Result<MembersChanged, Failure> publish_members(const ActiveConfiguration& before, Members members,
                                                  const std::vector<store::AuditEntry>& audit, Purpose purpose);
  Result<Members, Failure> stored_members(const config::Json& canonical);
  std::optional<Failure> take_members(ActiveConfiguration& next, const ActiveConfiguration* before,
                                      store::Dropped& dropped, std::vector<config::Problem>& warnings);
  void begin_leases(const store::MembershipChange& change, const Members& members);
  uint32_t in_flight_at(const ActiveConfiguration& active, const std::string& name) const;
  bool may_leave(const ActiveConfiguration& active, const std::string& name, const Member& member);
  // Those that go: whose lease ended, to drain first, and those that have drained.
  struct Departures {
    std::vector<std::string> ended;
    std::map<std::string, Member> drained;
    std::vector<store::AuditEntry> audit;
    bool take_place(Members& members);
  };
  Departures departures();
  void tell_of(const std::map<std::string, std::string>& reasons, const char* state);
  void drop_stale_members();
  static std::vector<store::Override> take_unnamed(ActiveConfiguration& next);
  std::optional<std::string> above_ceiling(const config::Document& document) const;
  std::optional<Failure> read_outside(ActiveConfiguration& next, const Way& way);
  std::optional<Failure> read_files(ActiveConfiguration& next);
  Certificates read_changed(const ActiveConfiguration& active);
  Result<CheckedCertificate, CertificateFileError> read_certificate(const config::Certificate& certificate);
  Resolver::Answers find_targets(ActiveConfiguration& next, config::Materials& materials);
  Result<Compiled, Failure> compile(ActiveConfiguration& next, const Way& way);
  Result<size_t, Failure> publish(std::shared_ptr<ActiveConfiguration> next, const Way& way, const Commit& commit);
  // The same revision with something new behind it: `change` alters the copy, `commit` keeps it.
  Result<size_t, Failure> publish_again(const std::function<void(ActiveConfiguration&)>& change, const Commit& commit,
                                        Again again = Again::kNothing, Purpose purpose = Purpose::kServing);
  void follow_error_log(const ipc::Publication& publication, const std::string& former, const std::string& level);
  void drop_from_store(const std::vector<store::Override>& overrides);
  void install(std::shared_ptr<const ActiveConfiguration> next);

  Parts parts_;
  StickyKey sticky_key_;
  CertificateWatch watch_;
  Leases leases_;
  MemberEdits<MemberPart> edits_{milliseconds(1000)};
  std::string tending_failure_;   // said already; the chores' thread
  std::mutex change_;             // held through a change
  bool closed_ = false;
  UniqueFd error_log_;   // the log's descriptor
  mutable std::mutex active_mutex_;
  std::shared_ptr<const ActiveConfiguration> active_;
};

// A place where a test may hold the process: in builds with PROXYD_TEST_HOOKS it stops itself (SIGSTOP) at the step
// that the file named by PROXYD_TEST_STOP holds, until it is killed. Else nothing.
void test_stop(const char* step);

}   // namespace proxyd::master
