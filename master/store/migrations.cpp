#include "master/store/migrations.h"

#include <array>

namespace proxyd::store {
namespace {

constexpr std::array<std::string_view, 12> kSteps = {
    R"(CREATE TABLE revisions (
         number INTEGER PRIMARY KEY, parent INTEGER NOT NULL, created TEXT NOT NULL, author TEXT NOT NULL,
         origin TEXT NOT NULL, message TEXT NOT NULL, canonical TEXT NOT NULL, source TEXT NOT NULL,
         active INTEGER NOT NULL CHECK (active IN (0, 1))) STRICT)",
    "CREATE UNIQUE INDEX one_active ON revisions (active) WHERE active = 1",
    R"(CREATE TABLE overrides (
         subject TEXT PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, owner TEXT NOT NULL, reason TEXT NOT NULL,
         created TEXT NOT NULL, expires TEXT NOT NULL) STRICT)",
    R"(CREATE TABLE tokens (
         id TEXT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, scopes TEXT NOT NULL, created TEXT NOT NULL,
         expires TEXT NOT NULL) STRICT)",
    R"(CREATE TABLE audit (
         number INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, author TEXT NOT NULL, action TEXT NOT NULL,
         status INTEGER NOT NULL, detail TEXT NOT NULL) STRICT)",
    "CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    "CREATE TRIGGER audit_keeps_values BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    "CREATE TABLE object_versions (object TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    R"(CREATE TABLE sessions (
         digest TEXT PRIMARY KEY, name TEXT NOT NULL, scopes TEXT NOT NULL, created TEXT NOT NULL,
         expires TEXT NOT NULL) STRICT)",
    R"(CREATE TABLE purges (
         id INTEGER PRIMARY KEY, time TEXT NOT NULL, author TEXT NOT NULL, mode TEXT NOT NULL, subjects TEXT NOT NULL,
         reason TEXT NOT NULL) STRICT)",
    R"(CREATE TABLE certificates (
         name TEXT PRIMARY KEY, chain TEXT NOT NULL, sealed_key TEXT NOT NULL, created TEXT NOT NULL,
         author TEXT NOT NULL) STRICT)",
    R"(CREATE TABLE dynamic_targets (
         upstream TEXT NOT NULL, id TEXT NOT NULL, target TEXT NOT NULL, lease_ms INTEGER NOT NULL,
         version INTEGER NOT NULL, author TEXT NOT NULL, created TEXT NOT NULL,
         leaving INTEGER NOT NULL CHECK (leaving IN (0, 1)), PRIMARY KEY (upstream, id)) STRICT, WITHOUT ROWID)",
};

}   // namespace

std::span<const std::string_view> migrations() { return kSteps; }

}   // namespace proxyd::store
