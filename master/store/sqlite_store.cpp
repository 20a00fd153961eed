#include "master/store/sqlite_store.h"

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/SQLiteException.h>
#include <Poco/Data/Session.h>
#include <Poco/Data/Statement.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <type_traits>

#include "master/store/certificate_rows.h"
#include "master/store/member_rows.h"
#include "master/store/migrations.h"
#include "master/store/override_rows.h"
#include "master/store/record_rows.h"
#include "master/store/revision_rows.h"
#include "master/store/write_transaction.h"
#include "shared/base/unique_fd.h"

namespace proxyd::store {
namespace {

using namespace Poco::Data::Keywords;
using Poco::Data::Session;
using Poco::Data::Statement;
namespace fs = std::filesystem;

Failure failure_of(const Poco::Exception& error) {
  using namespace Poco::Data::SQLite;
  using Kind = Failure::Kind;
  const std::string text = error.displayText();
  const auto is = [&error]<class E>(const E*) { return dynamic_cast<const E*>(&error) != nullptr; };
  const auto says = [&text](std::string_view words) { return text.find(words) != std::string::npos; };
  if (is(static_cast<DBLockedException*>(nullptr)) || is(static_cast<TableLockedException*>(nullptr)))
    return {Kind::kBusy, "the database is locked by another process"};
  if (is(static_cast<DatabaseFullException*>(nullptr)) || is(static_cast<IOErrorException*>(nullptr)) ||
      says("is full") || says("disk I/O error"))
    return {Kind::kFull, "the database cannot be written: " + text};
  if (is(static_cast<CorruptImageException*>(nullptr)) || says("malformed") || says("not a database"))
    return {Kind::kDamaged, "the database is damaged: " + text};
  return {Kind::kOther, text};
}

void execute(Session& session, const std::string& sql) {
  Statement statement(session);
  statement << sql, now;
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}   // namespace

template <class T, class Work>
Outcome<T> SqliteStore::run(Work work) {
  const std::lock_guard lock(mutex_);
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Work, Session&>>) {
      work(*session_);
      return {};
    } else {
      return work(*session_);
    }
  } catch (const Poco::Exception& error) {
    on_error_();
    return failure_of(error);
  }
}

template <class T, class Work>
Outcome<T> SqliteStore::write(Work work) {
  changed_ = true;
  return run<T>(std::move(work));
}

Outcome<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& state_dir, Log& log) {
  Poco::Data::SQLite::Connector::registerConnector();
  std::unique_ptr<SqliteStore> store(new SqliteStore(state_dir, log));
  std::error_code error;
  fs::create_directories(state_dir, error);
  if (error)
    return Failure{Failure::Kind::kOther,
                   fmt::format("the state folder {} cannot be made: {}", state_dir, error.message())};
  auto opened = store->open_file(Empty::kIsDamaged);
  if (!opened && opened.error().kind == Failure::Kind::kDamaged) opened = store->restore();
  if (!opened) return opened.error();
  return store;
}

Outcome<std::optional<Revision>> SqliteStore::peek(const std::string& state_dir) {
  const std::string path = state_dir + "/proxyd.db";
  if (!fs::exists(path)) return std::optional<Revision>();
  Poco::Data::SQLite::Connector::registerConnector();
  try {
    Session session("SQLite", "file:" + path + "?mode=ro", 5);
    return first_of(select_revisions(session, "active = 1 AND number > ?", 0, 1, true));
  } catch (const Poco::Exception& error) {
    return failure_of(error);
  }
}

SqliteStore::SqliteStore(std::string state_dir, Log& log)
    : state_dir_(std::move(state_dir)), path_(state_dir_ + "/proxyd.db"), copies_(state_dir_), log_(log) {}
SqliteStore::~SqliteStore() = default;

// SQLite gives its other files the mode of this one.
Outcome<void> SqliteStore::open_file(Empty empty) {
  UniqueFd made(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!made) return Failure{Failure::Kind::kOther, fmt::format("{} cannot be opened: {}", path_, std::strerror(errno))};
  ::fchmod(made.value(), 0600);
  made.reset();   // before SQLite locks it: closing any descriptor of the file gives up the locks of all
  std::error_code ignored;
  if (empty == Empty::kIsDamaged && fs::file_size(path_, ignored) == 0 && !copies_.newest_first().empty())
    return Failure{Failure::Kind::kDamaged, "the file is empty"};
  try {
    session_ = std::make_unique<Session>("SQLite", path_, 5);
    execute(*session_, "PRAGMA busy_timeout = 5000");
    std::string verdict;
    *session_ << "PRAGMA quick_check(1)", into(verdict), now;
    if (verdict != "ok") {
      session_.reset();
      return Failure{Failure::Kind::kDamaged, verdict};
    }
    execute(*session_, "PRAGMA journal_mode = WAL");
    execute(*session_, "PRAGMA synchronous = FULL");
    migrate();
    return {};
  } catch (const Poco::Exception& error) {
    session_.reset();
    return failure_of(error);
  }
}

void SqliteStore::migrate() {
  execute(*session_, "CREATE TABLE IF NOT EXISTS migrations (applied INTEGER NOT NULL) STRICT");
  Poco::UInt64 applied = 0;
  *session_ << "SELECT COALESCE(MAX(applied), 0) FROM migrations", into(applied), now;
  const auto steps = migrations();
  if (applied >= steps.size()) return;
  WriteTransaction transaction(*session_);
  for (const std::string_view step : steps.subspan(applied)) execute(*session_, std::string(step));
  Poco::UInt64 reached = steps.size();
  *session_ << "INSERT INTO migrations VALUES (?)", use(reached), now;
  transaction.commit();
}

// A damaged file keeps its content, under another name.
Outcome<std::string> SqliteStore::set_aside() {
  session_.reset();
  const std::string stamp = fmt::format(".damaged-{}", std::chrono::system_clock::now().time_since_epoch().count());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code error;
    const std::string file = path_ + suffix;
    if (fs::exists(file)) fs::rename(file, path_ + stamp + suffix, error);
    if (error)
      return Failure{Failure::Kind::kOther,
                     fmt::format("the database is damaged, and {} cannot be set aside: {}", file, error.message())};
  }
  return path_ + stamp;
}

// The newest copy that is whole takes the place of the damaged file, or an empty database when there is none.
Outcome<void> SqliteStore::restore() {
  const auto aside = set_aside();
  if (!aside) return aside.error();
  for (const std::string& copy : copies_.newest_first()) {
    const auto placed = Copies::restore(copy, path_);
    if (!placed) return Failure{Failure::Kind::kFull, placed.error().message};
    const auto opened = open_file(Empty::kIsDamaged);
    if (!opened && opened.error().kind != Failure::Kind::kDamaged) return opened.error();
    if (opened) {
      degraded_ = fmt::format(
          "the database was damaged: it is kept as {}, and the copy {} serves; changes made after that copy are "
          "missing",
          *aside, copy);
      log_.error("{}", degraded_);
      return {};
    }
    const auto again = set_aside();
    if (!again) return again.error();
    log_.error("the copy {} is damaged too", copy);
  }
  degraded_ = fmt::format(
      "the database was damaged: it is kept as {}; there was no good copy, so this one begins empty", *aside);
  log_.error("{}", degraded_);
  return open_file(Empty::kIsNew);
}

Outcome<std::optional<Revision>> SqliteStore::active_revision() {
  return run<std::optional<Revision>>(
      [](Session& session) { return first_of(select_revisions(session, "active = 1 AND number > ?", 0, 1, true)); });
}

Outcome<std::optional<Revision>> SqliteStore::read_revision(uint64_t number) {
  return run<std::optional<Revision>>(
      [number](Session& session) { return first_of(select_revisions(session, "number = ?", number, 1, true)); });
}

Outcome<std::vector<Revision>> SqliteStore::list_revisions(uint64_t before, size_t limit) {
  const uint64_t below = before == 0 ? INT64_MAX : before;
  return run<std::vector<Revision>>(
      [=](Session& session) { return select_revisions(session, "number < ?", below, limit, false); });
}

Outcome<uint64_t> SqliteStore::next_revision_number() {
  return run<uint64_t>([](Session& session) {
    Poco::UInt64 last = 0;
    session << "SELECT COALESCE(MAX(number), 0) FROM revisions", into(last), now;
    return uint64_t{last + 1};
  });
}

Outcome<void> SqliteStore::commit_revision(const Revision& revision, const ObjectVersions& versions,
                                           const Dropped& dropped) {
  return write<void>([&](Session& session) -> Outcome<void> {
    WriteTransaction transaction(session);
    Poco::UInt64 active = 0;
    session << "SELECT COALESCE(MAX(number), 0) FROM revisions WHERE active = 1", into(active), now;
    if (active != revision.parent)
      return Failure{Failure::Kind::kConflict, fmt::format("revision {} is active, not {}", active, revision.parent)};
    Poco::UInt64 number = revision.number;
    Poco::UInt64 parent = revision.parent;
    std::string created = revision.created, author = revision.author, origin = revision.origin,
                message = revision.message, canonical = revision.canonical, source = revision.source;
    execute(session, "UPDATE revisions SET active = 0 WHERE active = 1");
    session << "INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)", use(number), use(parent), use(created),
        use(author), use(origin), use(message), use(canonical), use(source), now;
    store_versions(session, versions, known_versions(session));
    for (const Override& one : dropped.overrides) erase_override(session, one.subject);
    for (const std::string& upstream : dropped.upstreams) erase_members(session, upstream);
    transaction.commit();
    return {};
  });
}

Outcome<std::vector<DynamicTarget>> SqliteStore::dynamic_targets() {
  return run<std::vector<DynamicTarget>>([](Session& session) { return select_members(session); });
}

Outcome<void> SqliteStore::change_members(const MembershipChange& change) {
  return write<void>([&](Session& session) {
    WriteTransaction transaction(session);
    for (const DynamicTarget& one : change.removed) erase_member(session, one.upstream, one.id);
    for (const DynamicTarget& one : change.put) insert(session, one);
    for (const Override& one : change.dropped) erase_override(session, one.subject);
    for (const AuditEntry& one : change.audit) insert(session, one);
    transaction.commit();
  });
}

Outcome<std::vector<Override>> SqliteStore::overrides() {
  return run<std::vector<Override>>([](Session& session) { return select_overrides(session); });
}

Outcome<void> SqliteStore::put_override(const Override& value) {
  return write<void>([&](Session& session) { insert(session, value); });
}

Outcome<bool> SqliteStore::remove_override(const std::string& subject) {
  return write<bool>([&](Session& session) { return erase_override(session, subject); });
}

Outcome<std::vector<Token>> SqliteStore::tokens() {
  return run<std::vector<Token>>([](Session& session) {
    std::vector<std::string> ids, names, digests, scopes, created, expires;
    session << "SELECT id, name, digest, scopes, created, expires FROM tokens ORDER BY created", into(ids), into(names),
        into(digests), into(scopes), into(created), into(expires), now;
    std::vector<Token> all;
    for (size_t i = 0; i < ids.size(); ++i)
      all.push_back({ids[i], names[i], digests[i], split(scopes[i]), created[i], expires[i]});
    return all;
  });
}

Outcome<void> SqliteStore::add_token(const Token& token) {
  return write<void>([one = token](Session& session) mutable {
    std::string scopes = joined(one.scopes);
    session << "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?)", use(one.id), use(one.name), use(one.digest), use(scopes),
        use(one.created), use(one.expires), now;
  });
}

Outcome<bool> SqliteStore::remove_token(const std::string& id) {
  return write<bool>([key = id](Session& session) mutable {
    Statement statement(session);
    return (statement << "DELETE FROM tokens WHERE id = ?", use(key)).execute() > 0;
  });
}

Outcome<ObjectVersions> SqliteStore::object_versions() {
  return run<ObjectVersions>([](Session& session) { return known_versions(session); });
}

Outcome<void> SqliteStore::add_session(const LoginSession& added, size_t most) {
  return write<void>([one = added, most](Session& session) mutable {
    std::string scopes = joined(one.scopes);
    std::string time = one.created;
    WriteTransaction transaction(session);
    session << "DELETE FROM sessions WHERE expires <= ?", use(time), now;
    session << "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", use(one.digest), use(one.name), use(scopes),
        use(one.created), use(one.expires), now;
    session << "DELETE FROM sessions WHERE digest NOT IN (SELECT digest FROM sessions ORDER BY created DESC, rowid "
               "DESC LIMIT "
            << most << ")",
        now;
    transaction.commit();
  });
}

Outcome<std::optional<LoginSession>> SqliteStore::session(const std::string& digest) {
  return run<std::optional<LoginSession>>([key = digest](Session& session) mutable {
    std::vector<std::string> digests, names, scopes, created, expires;
    session << "SELECT digest, name, scopes, created, expires FROM sessions WHERE digest = ?", use(key), into(digests),
        into(names), into(scopes), into(created), into(expires), now;
    if (digests.empty()) return std::optional<LoginSession>();
    return std::optional(LoginSession{digests[0], names[0], split(scopes[0]), created[0], expires[0]});
  });
}

Outcome<bool> SqliteStore::remove_session(const std::string& digest) {
  return write<bool>([key = digest](Session& session) mutable {
    Statement statement(session);
    return (statement << "DELETE FROM sessions WHERE digest = ?", use(key)).execute() > 0;
  });
}

Outcome<std::vector<std::string>> SqliteStore::certificate_names() {
  return run<std::vector<std::string>>([](Session& session) { return select_certificate_names(session); });
}

Outcome<std::optional<UploadedCertificate>> SqliteStore::certificate(const std::string& name) {
  return run<std::optional<UploadedCertificate>>([&](Session& session) { return select_certificate(session, name); });
}

Outcome<void> SqliteStore::put_certificate(const UploadedCertificate& certificate) {
  return write<void>([&](Session& session) { insert(session, certificate); });
}

Outcome<bool> SqliteStore::remove_certificate(const std::string& name) {
  return write<bool>([&](Session& session) { return erase_certificate(session, name); });
}

Outcome<void> SqliteStore::append_audit(const AuditEntry& entry) {
  return write<void>([&entry](Session& session) { insert(session, entry); });
}

Outcome<std::vector<AuditEntry>> SqliteStore::audit(uint64_t before, size_t limit) {
  return run<std::vector<AuditEntry>>([=](Session& session) { return select_audit(session, before, limit); });
}

Outcome<void> SqliteStore::append(const Records& records, size_t most) {
  return write<void>([&](Session& session) {
    WriteTransaction transaction(session);
    for (const AuditEntry& entry : records.audit) insert(session, entry);
    for (const Purge& purge : records.purges) insert(session, purge);
    forget_purges(session, most);
    transaction.commit();
  });
}

Outcome<std::vector<Purge>> SqliteStore::purges(uint64_t before, size_t limit) {
  return run<std::vector<Purge>>([=](Session& session) { return select_purges(session, before, limit); });
}

Outcome<void> SqliteStore::back_up(uint64_t most) {
  std::error_code unknown;
  if (fs::file_size(path_, unknown) > most || !changed_.exchange(false)) return {};
  auto path = copies_.begin();
  if (!path) return Failure{Failure::Kind::kFull, path.error().message};
  const auto made = copy_.make(path_, *path);
  const auto kept = made ? copies_.finish(*path) : made;
  if (kept) return {};
  changed_ = true;
  return Failure{Failure::Kind::kFull, kept.error().message};
}

}   // namespace proxyd::store
