#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "master/store/copies.h"
#include "master/store/database_copy.h"
#include "master/store/store.h"
#include "shared/base/log.h"

namespace Poco::Data {
class Session;
}

namespace proxyd::store {

// The store in one SQLite file of the state folder, mode 0600, opened by this process alone (WAL, synchronous=FULL).
// Checked when it is opened: a damaged file is set aside, never overwritten, and the newest good copy serves instead,
// which `degraded` says. Copies are made by `back_up`, three kept. Owned by the master; any thread. A lock that another
// process holds is waited for up to 5 s.
class SqliteStore final : public Store {
 public:
  static Outcome<std::unique_ptr<SqliteStore>> open(const std::string& state_dir, Log& log);
  // Of a store that nobody need run with and that is not changed: the active revision, or nothing.
  static Outcome<std::optional<Revision>> peek(const std::string& state_dir);
  ~SqliteStore() override;

  Outcome<std::optional<Revision>> active_revision() override;
  Outcome<void> commit_revision(const Revision& revision, const ObjectVersions& versions,
                                const Dropped& dropped) override;
  Outcome<ObjectVersions> object_versions() override;
  Outcome<uint64_t> next_revision_number() override;
  Outcome<std::vector<Revision>> list_revisions(uint64_t before, size_t limit) override;
  Outcome<std::optional<Revision>> read_revision(uint64_t number) override;
  Outcome<std::vector<Override>> overrides() override;
  Outcome<void> put_override(const Override& value) override;
  Outcome<bool> remove_override(const std::string& subject) override;
  Outcome<std::vector<DynamicTarget>> dynamic_targets() override;
  Outcome<void> change_members(const MembershipChange& change) override;
  Outcome<std::vector<Token>> tokens() override;
  Outcome<void> add_token(const Token& token) override;
  Outcome<bool> remove_token(const std::string& id) override;
  Outcome<void> add_session(const LoginSession& session, size_t most) override;
  Outcome<std::optional<LoginSession>> session(const std::string& digest) override;
  Outcome<bool> remove_session(const std::string& digest) override;
  Outcome<std::vector<std::string>> certificate_names() override;
  Outcome<std::optional<UploadedCertificate>> certificate(const std::string& name) override;
  Outcome<void> put_certificate(const UploadedCertificate& certificate) override;
  Outcome<bool> remove_certificate(const std::string& name) override;
  Outcome<void> append_audit(const AuditEntry& entry) override;
  Outcome<std::vector<AuditEntry>> audit(uint64_t before, size_t limit) override;
  Outcome<void> append(const Records& records, size_t most) override;
  Outcome<std::vector<Purge>> purges(uint64_t before, size_t limit) override;
  std::string degraded() const override { return degraded_; }

  // A copy of everything, as <state_dir>/backup-N.db; at most three. Nothing when nothing was written since the last,
  // or when there is more than `most` octets. Nobody waits for it.
  Outcome<void> back_up(uint64_t most = UINT64_MAX);
  // Ends the copy that is being made.
  void give_up_copy() { copy_.give_up(); }
  // Called under the store's lock for each error of the database.
  void on_error(std::function<void()> callback) { on_error_ = std::move(callback); }

 private:
  SqliteStore(std::string state_dir, Log& log);
  enum class Empty { kIsNew, kIsDamaged };   // what an empty file beside copies means
  Outcome<void> open_file(Empty empty);
  Outcome<void> restore();
  Outcome<std::string> set_aside();
  void migrate();
  // Runs `work` under the mutex and turns what SQLite throws into a Failure.
  template <class T, class Work>
  Outcome<T> run(Work work);
  template <class T, class Work>
  Outcome<T> write(Work work);

  std::string state_dir_;
  std::string path_;
  Copies copies_;
  Log& log_;
  std::mutex mutex_;
  DatabaseCopy copy_;
  std::function<void()> on_error_ = [] {};
  std::atomic<bool> changed_{true};   // since the last copy
  std::unique_ptr<Poco::Data::Session> session_;
  std::string degraded_;
};

}   // namespace proxyd::store
